/** What a host needs to join: a secret, good once, and which CA it is to believe. */
export interface JoinToken {
  secret: string;
  /** SHA-256 of the CA's PEM text, in hex. */
  caSha256: string;
}

const FORM = /^sampan_join_([a-z2-7]{32})_([0-9a-f]{64})$/;

/** As it is typed: `sampan_join_<secret>_<hash>`. */
export function formatJoinToken({ secret, caSha256 }: JoinToken): string {
  return `sampan_join_${secret}_${caSha256}`;
}

/** Undefined for any other text. */
export function parseJoinToken(text: string): JoinToken | undefined {
  const [, secret, caSha256] = FORM.exec(text) ?? [];
  return secret === undefined || caSha256 === undefined ? undefined : { secret, caSha256 };
}
