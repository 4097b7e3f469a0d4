import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '@sampan/shared/errors.ts';
import { splitPem } from '@sampan/shared/identity/pem.ts';
import { ConfigError } from '@sampan/shared/load-config.ts';
import { writeDurably } from '../host/durable-file.ts';

/** Who an agent is, as PEM: its key, its certificate with what leads from it to the CA, and the roots that it trusts. */
export interface IdentityPem {
  key: string;
  certificate: string;
  roots: string;
}

const NAMES = { key: 'agent.key', certificate: 'agent.pem', roots: 'ca.pem' } as const;

/** Reads the identity in `dir`. @throws ConfigError in words: there is none, or what is there does not belong together. */
export async function readIdentity(dir: string): Promise<IdentityPem> {
  const pem = {
    key: await read(dir, 'key'),
    certificate: await read(dir, 'certificate'),
    roots: await read(dir, 'roots'),
  };
  const fault = identityFault(pem);
  if (fault === undefined) return pem;
  throw new ConfigError(`identity_dir: ${dir} cannot be used: ${fault}`);
}

/** Writes an identity for the first time. The key is readable by this user alone. */
export async function writeIdentity(dir: string, pem: IdentityPem): Promise<void> {
  await writeDurably(join(dir, NAMES.roots), pem.roots);
  await writeDurably(join(dir, NAMES.key), pem.key, 0o600);
  // Last: where it stands, the rest does too.
  await writeDurably(join(dir, NAMES.certificate), pem.certificate);
}

/** Replaces what a renewal brings. Each of the two files may stand beside the other's predecessor: after a crash both still work. */
export async function replaceCertificate(dir: string, pem: Omit<IdentityPem, 'key'>): Promise<void> {
  await writeDurably(join(dir, NAMES.roots), pem.roots);
  await writeDurably(join(dir, NAMES.certificate), pem.certificate);
}

/** Why these do not make an identity; undefined when they do. Whether it has expired is not asked: it may be renewed. */
export function identityFault(pem: IdentityPem): string | undefined {
  const [key, leaf, roots] = [
    parsed(() => createPrivateKey(pem.key)),
    certificatesIn(pem.certificate)?.[0],
    certificatesIn(pem.roots),
  ];
  if (key === undefined) return `${NAMES.key} is no private key`;
  if (leaf === undefined) return `${NAMES.certificate} is no certificate`;
  if (roots === undefined || roots.length === 0) return `${NAMES.roots} is no certificate`;
  return fits(leaf, key) ? undefined : `${NAMES.certificate} does not belong to ${NAMES.key}`;
}

/** Why a certificate does not lead to its roots: it must be signed by one of them, or by one that comes after it and is. Undefined: it does. */
export function chainFault({ certificate, roots }: IdentityPem): string | undefined {
  const [leaf, ...between] = splitPem(certificate).map((text) => new X509Certificate(text));
  const trusted = splitPem(roots).map((text) => new X509Certificate(text));
  const issuers = [...trusted, ...between.filter((link) => isSignedByOne(link, trusted))];
  return leaf && isSignedByOne(leaf, issuers) ? undefined : 'it does not lead to a root that comes with it';
}

/** Whether one of `issuers` has signed a certificate itself. */
export function isSignedByOne(certificate: X509Certificate, issuers: readonly X509Certificate[]): boolean {
  return issuers.some((issuer) => certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey));
}

function fits(leaf: X509Certificate, key: KeyObject): boolean {
  return leaf.checkPrivateKey(key);
}

function certificatesIn(pem: string): X509Certificate[] | undefined {
  return parsed(() => splitPem(pem).map((text) => new X509Certificate(text)));
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

async function read(dir: string, what: keyof typeof NAMES): Promise<string> {
  try {
    return await readFile(join(dir, NAMES[what]), 'utf8');
  } catch (cause) {
    const missing = systemCode(cause) === 'ENOENT';
    const why = missing ? `has no ${NAMES[what]}: this host has not joined, run sampan-agent join` : String(cause);
    throw new ConfigError(`identity_dir: ${dir} ${why}`, { cause });
  }
}
