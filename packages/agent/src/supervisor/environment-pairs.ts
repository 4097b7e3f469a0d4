const PAIR = /\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*("[^"]*"|'[^']*'|[A-Za-z0-9_/.+\-():]+)\s*(?:,|$)/y;

/** Says what `environment=` has to look like. */
export const ENVIRONMENT_RULE = 'KEY="value",KEY2="value2"';

/** `environment=` as supervisor splits it, or undefined where its splitting would fail or surprise (`A=1 B=2`, `A=a@b`). */
export function environmentPairs(text: string): Map<string, string> | undefined {
  const pairs = new Map<string, string>();
  const end = text.trimEnd().length;
  for (PAIR.lastIndex = 0; PAIR.lastIndex < end; ) {
    const [, key, value] = PAIR.exec(text) ?? [];
    if (key === undefined || value === undefined) return undefined;
    pairs.set(key, value.replace(/^['"]+|['"]+$/g, ''));
  }
  return pairs;
}
