import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { namesHost } from '@sampan/shared/identity/names-host.ts';
import { splitPem } from '@sampan/shared/identity/pem.ts';
import type { CertificateAuthority, KeyPair } from './certificate-authority.ts';
import { writePrivately } from './write-privately.ts';

/** What the controller shows of itself: to agents, and to its callers where HTTPS runs under our own CA. */
export interface OwnCertificates {
  client: KeyPair;
  server: KeyPair;
}

export interface OwnNames {
  dir: string;
  /** Addresses and names by which callers reach HTTPS. */
  hosts: readonly string[];
  lifetimeMs: number;
}

/** Those in the directory, each replaced where it is missing, half through its life, of an older root, or under other names. */
export async function ownCertificates(authority: CertificateAuthority, names: OwnNames): Promise<OwnCertificates> {
  const client = join(names.dir, 'controller.pem');
  const server = join(names.dir, 'https.pem');
  return {
    client: await kept(
      client,
      (pair) => isCurrent(pair, authority, names),
      () => authority.issueClient(names.lifetimeMs),
    ),
    server: await kept(
      server,
      (pair) => isCurrent(pair, authority, names) && isUnder(pair, names.hosts),
      () => authority.issueServer(names.hosts, names.lifetimeMs),
    ),
  };
}

/** What connections to agents are made with. */
export function agentContext({ bundle }: CertificateAuthority, { client }: OwnCertificates): SecureContext {
  return createSecureContext({ key: client.key, cert: client.certificate, ca: bundle, minVersion: 'TLSv1.3' });
}

async function kept(file: string, isGood: (pair: KeyPair) => boolean, issue: () => Promise<KeyPair>): Promise<KeyPair> {
  const found = await readPair(file);
  if (found && isGood(found)) return found;
  const issued = await issue();
  await writePrivately(file, issued.key + issued.certificate);
  return issued;
}

/** Undefined for what is missing or broken: it is made anew. */
async function readPair(file: string): Promise<KeyPair | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(text)?.[0];
  const certificates = splitPem(text);
  return key === undefined || certificates.length === 0
    ? undefined
    : { key, certificate: `${certificates.join('\n')}\n` };
}

function isCurrent({ certificate }: KeyPair, authority: CertificateAuthority, { lifetimeMs }: OwnNames): boolean {
  const leaf = new X509Certificate(certificate);
  const root = new X509Certificate(authority.pem.roots[0] ?? '');
  const chain = splitPem(certificate).length;
  const leftMs = leaf.validToDate.getTime() - Date.now();
  return (
    leaf.verify(root.publicKey) &&
    chain === (authority.pem.cross ? 2 : 1) &&
    leftMs > lifetimeMs / 2 &&
    leftMs <= lifetimeMs
  );
}

function isUnder({ certificate }: KeyPair, hosts: readonly string[]): boolean {
  const leaf = new X509Certificate(certificate);
  const names = leaf.subjectAltName?.split(', ').length ?? 0;
  // Our URI and our constant name come on top.
  return names === hosts.length + 2 && hosts.every((host) => namesHost(leaf, host));
}
