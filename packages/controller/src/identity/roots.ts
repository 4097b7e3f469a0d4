import { createHash, X509Certificate } from 'node:crypto';
import { canonicalPem, pemSha256 } from '@sampan/shared/identity/pem.ts';
import type { CertificateAuthority } from './certificate-authority.ts';

/** The newest root, whose hash join tokens carry. */
export function newestRoot({ pem }: CertificateAuthority): { text: string; sha256: string; expiresAt: Date } {
  const certificate = new X509Certificate(pem.roots[0] ?? '');
  return { text: canonicalPem(certificate), sha256: pemSha256(certificate), expiresAt: certificate.validToDate };
}

/** Tells one set of trusted roots from another. */
export function rootsSha256({ bundle }: CertificateAuthority): string {
  return createHash('sha256').update(bundle).digest('hex');
}
