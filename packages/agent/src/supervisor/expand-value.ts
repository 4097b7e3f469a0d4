/** What stands behind the names of `%(name)s` in a value. */
export type Expansions = ReadonlyMap<string, string | number>;

/** The expanded text, or the part of it that does not expand. */
export type Expanded = { ok: true; text: string } | { ok: false; found: string };

/**
 * Expands `%(name)s`, `%(name)02d` and `%%` as supervisor's Python does. Other forms of Python's `%` are refused:
 * a bare `%`, a name that is not there, a text where `d` wants a number, a width over two digits.
 */
export function expandValue(text: string, expansions: Expansions): Expanded {
  let expanded = '';
  let end = 0;
  for (const { index, 0: found } of text.matchAll(/%(?:%|\([^)]*\)-?\d*[a-zA-Z]?|.?)/gs)) {
    const value = expandOne(found, expansions);
    if (value === undefined) return { ok: false, found };
    expanded += text.slice(end, index) + value;
    end = index + found.length;
  }
  return { ok: true, text: expanded + text.slice(end) };
}

function expandOne(found: string, expansions: Expansions): string | undefined {
  if (found === '%%') return '%';
  const [, name, left, zero, width, kind] = /^%\(([^)]+)\)(-?)(0?)(\d{0,2})([sd])$/.exec(found) ?? [];
  const value = name === undefined ? undefined : expansions.get(name);
  if (value === undefined || (kind === 'd' && typeof value !== 'number')) return undefined;
  const length = Number(width);
  if (left === '-') return String(value).padEnd(length);
  return String(value).padStart(length, zero === '0' && kind === 'd' ? '0' : ' ');
}
