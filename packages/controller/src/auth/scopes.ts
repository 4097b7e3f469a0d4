/** What a token may be good for. `admin` may everything; no other one includes another. */
export const SCOPES = ['read', 'deploy', 'config-write', 'admin'] as const;

export type Scope = (typeof SCOPES)[number];

export function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text);
}

/** Whether what was granted is enough for what is asked. */
export function includesScope(granted: readonly Scope[], needed: Scope): boolean {
  return granted.includes(needed) || granted.includes('admin');
}
