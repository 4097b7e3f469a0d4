import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import * as x509 from '@peculiar/x509';
import { DeployError } from '@sampan/shared/errors.ts';
import { splitPem } from '@sampan/shared/identity/pem.ts';
import { ConfigError } from '@sampan/shared/load-config.ts';
import type { Kysely } from 'kysely';
import { parseAgentAddress } from '../agents/agent-address.ts';
import { Audit, type AuditEntry } from '../auth/audit.ts';
import type { Tables } from '../store/tables.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import { type AgentNames, CertificateRecords, keySha256 } from './certificate-records.ts';
import { JoinTokens } from './join-tokens.ts';
import { rootsSha256 } from './roots.ts';

/** What an agent is given. PEM. */
export interface Enrolled {
  host: string;
  certificate: string;
  roots: string;
}

export interface Enrolling {
  authority: CertificateAuthority;
  db: Kysely<Tables>;
  lifetimeMs: number;
}

/**
 * Gives a host that shows a join token its certificate. Of its request counts the public key alone: whatever names, uses or
 * extensions it asks for, it gets those of its token. The host's earlier identity ends, unless its key is the same.
 * @throws DeployError JOIN_REFUSED; INVALID_REQUEST: what it sent is no request for a certificate.
 */
export async function join(
  { authority, db, lifetimeMs }: Enrolling,
  request: { secret: string; csr: string; address: string },
): Promise<Enrolled> {
  const spki = await publicKeyOf(request.csr);
  return await db.transaction().execute(async (trx) => {
    const names = namesOf(await new JoinTokens(trx).redeem(request.secret));
    const who: AuditEntry = {
      who: `host ${names.host}`,
      address: request.address,
      action: 'join',
      hosts: [names.host],
      outcome: 'OK',
    };
    return await enroll({ authority, db: trx, lifetimeMs }, { names, spki }, who);
  });
}

/** Gives `names` a certificate for a public key (SPKI, DER), and writes down that it did. On a transaction. */
export async function enroll(
  { authority, db, lifetimeMs }: Enrolling,
  { names, spki }: { names: AgentNames; spki: Uint8Array<ArrayBuffer> },
  entry: AuditEntry,
): Promise<Enrolled> {
  const certificate = await authority.issueAgent([names.host, ...names.aliases], spki, lifetimeMs);
  const leaf = new X509Certificate(splitPem(certificate)[0] ?? '');
  const records = new CertificateRecords(db);
  await records.holdStill();
  const replaced = await records.revoke(names.host, keySha256(leaf));
  await records.add(names, certificate, rootsSha256(authority));
  await new Audit(db).append({ ...entry, details: { serial: leaf.serialNumber, expiresAt: leaf.validTo, replaced } });
  return { host: names.host, certificate, roots: authority.bundle };
}

/**
 * What a person wrote of a host: `host` or `host:port`, as in `server_list`, and its other names.
 * @throws ConfigError in words.
 */
export function namesOf({ agent, aliases }: Pick<AgentNames, 'agent' | 'aliases'>): AgentNames {
  const parsed = (text: string) => {
    const address = parseAgentAddress(text, 7410);
    if (address && isFitForCertificate(address.host)) return address;
    throw new ConfigError(`${text} is no host: expected an IP address, a name, name:port or [IPv6]:port`);
  };
  const { host } = parsed(agent);
  return {
    agent,
    host,
    aliases: [...new Set(aliases.map((alias) => parsed(alias).host))].filter((name) => name !== host),
  };
}

/** Names below sampan.internal are the controller's; an IPv6 address has one way to be written, and none of IPv4 inside. */
function isFitForCertificate(host: string): boolean {
  if (isIPv6(host)) return URL.parse(`http://[${host}]`)?.hostname === `[${host}]` && !host.startsWith('::ffff:');
  return !host.endsWith('.sampan.internal');
}

/** @throws DeployError INVALID_REQUEST: no request, not signed by its own key, or not an ECDSA key on P-256. */
async function publicKeyOf(csr: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const request = new x509.Pkcs10CertificateRequest(csr);
    const { algorithm } = request.publicKey as { algorithm: { name: string; namedCurve?: string } };
    if (algorithm.name !== 'ECDSA' || algorithm.namedCurve !== 'P-256')
      throw new Error(`its key is ${algorithm.name} ${algorithm.namedCurve}`);
    if (!(await request.verify())) throw new Error('its signature is not that of its key');
    return new Uint8Array(request.publicKey.rawData);
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new DeployError(
      'INVALID_REQUEST',
      { field: 'csr', found, expected: 'a PKCS #10 request for an ECDSA key on P-256, PEM' },
      { cause },
    );
  }
}
