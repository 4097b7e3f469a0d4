import { X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { asDeployError, DeployError } from '@sampan/shared/errors.ts';
import { splitPem } from '@sampan/shared/identity/pem.ts';
import type { Logger } from '@sampan/shared/logger.ts';
import { type AgentAddress, parseAgentAddress } from '../agents/agent-address.ts';
import type { AgentPool } from '../agents/agent-pool.ts';
import { callAgent } from '../agents/call-agent.ts';
import { Slots } from '../slots.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import { type AgentCertificate, type CertificateRecords, keySha256 } from './certificate-records.ts';
import { renewExpired } from './renew-expired.ts';
import { rootsSha256 } from './roots.ts';

const PARALLEL = 20;
const TIMEOUT_MS = 10_000;

/** What renewing takes. */
export interface RenewalServices {
  authority(): CertificateAuthority;
  context(): SecureContext;
  records: CertificateRecords;
  agents: AgentPool;
  agentPort: number;
  lifetimeMs: number;
  log: Logger;
}

/**
 * Renews, over the connection that is there, every agent's certificate that is half through its life, was signed by an older
 * root, or whose agent trusts other roots than we do now. An agent that slept past the end of its certificate renews too, by
 * the key that it is known by. Who cannot be reached is tried again next time. A controller whose files are of an older CA than those of
 * another one renews nothing: the two would take turns for ever. Never throws for what goes wrong with one host.
 */
export async function renewAll(services: RenewalServices, signal: AbortSignal): Promise<void> {
  const slots = new Slots(PARALLEL);
  const own = rootsSha256(services.authority());
  const newest = await services.records.roots();
  if (newest !== undefined && newest !== own) {
    services.log.error(
      'identity_dir holds an older CA than another controller uses: copy it from there; this controller renews no certificate until then',
    );
    return;
  }
  const known = await services.records.current();
  const due = known.filter((certificate) => isDue(certificate, services.authority()));
  await Promise.all(
    due.map((certificate) => slots.run(() => renew(services, certificate, signal), signal).catch(() => undefined)),
  );
}

/** Whether an agent's newest certificate is to be replaced, or still to be handed over. */
export function isDue(certificate: AgentCertificate, authority: CertificateAuthority, now = new Date()): boolean {
  if (certificate.revokedAt !== undefined) return false;
  return certificate.rootsSha256 !== rootsSha256(authority) || !isFresh(certificate, authority, now);
}

/** Valid, in the first half of its life, and signed by the newest root. */
function isFresh({ pem, issuedAt, expiresAt }: AgentCertificate, authority: CertificateAuthority, now: Date): boolean {
  const halfway = (issuedAt.getTime() + expiresAt.getTime()) / 2;
  const leaf = new X509Certificate(pem);
  // One of the future was issued while our clock was wrong, and is good for nobody now.
  if (now < leaf.validFromDate || now.getTime() >= halfway) return false;
  const [newest = ''] = authority.pem.roots;
  return leaf.verify(new X509Certificate(newest).publicKey);
}

async function renew(services: RenewalServices, known: AgentCertificate, signal: AbortSignal): Promise<void> {
  const { log, records } = services;
  const { host } = known;
  try {
    const next = await nextCertificate(services, known);
    // Revoked meanwhile: there was a queue before this.
    if (!next || !(await records.isLive(next))) return;
    await handOver(services, next, signal);
    await records.handedOver(next.serial, rootsSha256(services.authority()));
    log.info({ host, serial: next.serial, expiresAt: next.expiresAt }, 'certificate renewed');
  } catch (error) {
    if (signal.aborted) return;
    log.warn(
      { host, expiresAt: known.expiresAt, code: asDeployError(error).code, err: error },
      'certificate could not be renewed',
    );
  }
}

/** One that was issued and never arrived is good enough; else a new one, for the same key and names. */
async function nextCertificate(
  { authority, records, lifetimeMs }: RenewalServices,
  known: AgentCertificate,
): Promise<AgentCertificate | undefined> {
  if (isFresh(known, authority(), new Date())) return known;
  const { publicKey } = new X509Certificate(known.pem);
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  return await records.succeed(known, () => authority().issueAgent([known.host, ...known.aliases], spki, lifetimeMs));
}

async function handOver(services: RenewalServices, next: AgentCertificate, signal: AbortSignal): Promise<void> {
  const request = { certificate: next.pem, roots: services.authority().bundle };
  const address = addressOf(next, services.agentPort);
  try {
    const connection = await services.agents.connect(address, signal);
    await callAgent(connection, { method: 'RenewCertificate', request, timeoutMs: TIMEOUT_MS }, signal);
  } catch (error) {
    if (!isOnlyOutOfDate(error)) throw error;
    const key = keySha256(new X509Certificate(splitPem(next.pem)[0] ?? ''));
    await renewExpired({ address, context: services.context(), keySha256: key }, request, {
      timeoutMs: TIMEOUT_MS,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
  }
}

/** The agent's certificate has expired, or is of the future: a clock was wrong. Its key is known all the same. */
function isOnlyOutOfDate(error: unknown): boolean {
  if (!DeployError.is(error, 'CERTIFICATE_REFUSED')) return false;
  const { whose, fault } = error.params;
  return whose === 'agent' && (fault === 'expired' || fault === 'not_yet_valid');
}

function addressOf({ agent }: AgentCertificate, agentPort: number): AgentAddress {
  const address = parseAgentAddress(agent, agentPort);
  if (!address) throw new Error(`${agent} is no host`);
  return address;
}
