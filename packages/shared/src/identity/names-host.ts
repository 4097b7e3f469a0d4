import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

const EXACTLY = { wildcards: false, partialWildcards: false, subject: 'never' } as const;

/** Whether a certificate is one of `host`, an address or a name, in so many words: no wildcards, and nothing but its alternative names. */
export function namesHost(certificate: X509Certificate, host: string): boolean {
  const found = isIP(host) === 0 ? certificate.checkHost(host, EXACTLY) : certificate.checkIP(host);
  return found !== undefined;
}
