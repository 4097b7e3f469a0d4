import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '@sampan/shared/errors.ts';
import { splitPem } from '@sampan/shared/identity/pem.ts';
import { ConfigError } from '@sampan/shared/load-config.ts';
import { CertificateAuthority } from './certificate-authority.ts';
import { writePrivately } from './write-privately.ts';

const NAME = 'authority.pem';
const KEY = /-----BEGIN PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END PRIVATE KEY-----\n?/;

/** The one file that is the CA: the key of its newest root, and the certificates. Who can read it can command every agent. */
export function authorityFile(dir: string): string {
  return join(dir, NAME);
}

export function hasAuthority(dir: string): boolean {
  return existsSync(authorityFile(dir));
}

/** @throws ConfigError in words: there is none, or the file is not what it should be. */
export async function readAuthority(dir: string): Promise<CertificateAuthority> {
  const file = authorityFile(dir);
  try {
    const text = await readFile(file, 'utf8');
    const certificates = splitPem(text).map((pem) => ({ pem: `${pem}\n`, parsed: new X509Certificate(pem) }));
    const roots = certificates.filter(({ parsed }) => parsed.checkIssued(parsed)).map(({ pem }) => pem);
    const cross = certificates.find(({ parsed }) => !parsed.checkIssued(parsed))?.pem;
    return await CertificateAuthority.open({ key: KEY.exec(text)?.[0] ?? '', roots, cross });
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT')
      throw new ConfigError(`${file} is not there: run sampan-controller init`, { cause });
    throw new ConfigError(`${file} cannot be used: ${(cause as Error).message}`, { cause });
  }
}

/** Replaces the CA as a whole: a crash leaves the old one or the new. */
export async function writeAuthority(dir: string, { pem }: CertificateAuthority): Promise<void> {
  await writePrivately(authorityFile(dir), [pem.key, ...pem.roots, pem.cross ?? ''].join(''));
}
