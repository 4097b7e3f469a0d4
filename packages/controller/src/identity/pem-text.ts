import { KeyObject, type webcrypto, X509Certificate } from 'node:crypto';
import { canonicalPem } from '@sampan/shared/identity/pem.ts';

export function certificateText(certificate: { rawData: ArrayBuffer }): string {
  return canonicalPem(new X509Certificate(Buffer.from(certificate.rawData)));
}

export function privateKeyText(key: CryptoKey): string {
  return KeyObject.from(key as webcrypto.CryptoKey)
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();
}
