import { createHash, type X509Certificate } from 'node:crypto';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, one by one. What else the text holds is left out. */
export function splitPem(text: string): string[] {
  return text.match(CERTIFICATE) ?? [];
}

/** The one PEM text of a certificate: lines of 64, a newline at the end. */
export function canonicalPem({ raw }: Pick<X509Certificate, 'raw'>): string {
  const lines = raw.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** SHA-256 of the PEM text, as `sha256sum ca.pem` prints it: what join tokens carry of a CA. */
export function pemSha256(certificate: Pick<X509Certificate, 'raw'>): string {
  return createHash('sha256').update(canonicalPem(certificate)).digest('hex');
}
