import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { CertificateAuthority, KeyPair } from '@sampan/controller/identity/certificate-authority.ts';

const DAY_MS = 86_400_000;

/** A certificate of an agent with a key of its own, signed by `authority`. A negative lifetime: one that has expired. */
export async function issueAgent(
  authority: CertificateAuthority,
  hosts: readonly [string, ...string[]],
  lifetimeMs = DAY_MS,
): Promise<KeyPair> {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = keys.publicKey.export({ type: 'spki', format: 'der' });
  return {
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: await authority.issueAgent(hosts, new Uint8Array(spki), lifetimeMs),
  };
}

/** Writes the files of an agent's `identity_dir` below `root`, and says where. */
export function writeAgentIdentity(root: string, authority: CertificateAuthority, pair: KeyPair): string {
  const dir = join(root, 'identity');
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'agent.key'), pair.key, { mode: 0o600 });
  writeFileSync(join(dir, 'agent.pem'), pair.certificate);
  writeFileSync(join(dir, 'ca.pem'), authority.bundle);
  return dir;
}

/** What a client of ours connects with. */
export function clientContext(authority: CertificateAuthority, pair?: KeyPair): SecureContext {
  return createSecureContext({ ca: authority.bundle, ...(pair && { key: pair.key, cert: pair.certificate }) });
}
