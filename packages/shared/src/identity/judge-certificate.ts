import type { X509Certificate } from 'node:crypto';
import { type CertificateFault, DeployError } from '../errors.ts';
import { agentOf, CONTROLLER_URI } from './identity-names.ts';
import { namesHost } from './names-host.ts';

const SERVER_USE = '1.3.6.1.5.5.7.3.1';
const CLIENT_USE = '1.3.6.1.5.5.7.3.2';

/** What TLS found out about a peer. */
export interface PeerProof {
  /** Undefined: the peer showed none. */
  certificate: X509Certificate | undefined;
  /** OpenSSL's reason why the chain does not lead to our CA, such as `CERT_HAS_EXPIRED`; undefined: it does. */
  chainFault: string | undefined;
}

export type CertificateRefusal = DeployError<'CERTIFICATE_REFUSED'>;

/** Whether a peer is the controller, to an agent that is to obey it. Undefined: it is. */
export function refuseController(proof: PeerProof, now = new Date()): CertificateRefusal | undefined {
  const fault = chainFault(proof, now) ?? controllerFault(proof.certificate);
  return (
    fault && new DeployError('CERTIFICATE_REFUSED', { whose: 'controller', fault, detail: describe(fault, proof, now) })
  );
}

/** Whether a peer is the agent of the host that was dialled, to the controller. Undefined: it is. */
export function refuseAgent(
  proof: PeerProof,
  expected: { host: string; isRevoked(serial: string): boolean },
  now = new Date(),
): CertificateRefusal | undefined {
  // First, and for good: a certificate that is revoked and then expires must not be told, and treated, as merely expired.
  const isRevoked = proof.certificate !== undefined && expected.isRevoked(proof.certificate.serialNumber);
  const fault = isRevoked ? 'revoked' : (chainFault(proof, now) ?? agentFault(proof.certificate, expected.host));
  return (
    fault && new DeployError('CERTIFICATE_REFUSED', { whose: 'agent', fault, detail: describe(fault, proof, now) })
  );
}

/** Expiry is judged by the dates, not by what TLS said: that was when the connection was made. */
function chainFault({ certificate, chainFault: found }: PeerProof, now: Date): CertificateFault | undefined {
  if (certificate === undefined) return 'missing';
  if (found === 'INVALID_PURPOSE') return 'wrong_role';
  if (found !== undefined && found !== 'CERT_HAS_EXPIRED' && found !== 'CERT_NOT_YET_VALID') return 'untrusted';
  if (now > certificate.validToDate) return 'expired';
  if (now < certificate.validFromDate) return 'not_yet_valid';
  // Of the chain above it, then.
  return found === undefined ? undefined : 'untrusted';
}

function controllerFault(certificate: X509Certificate | undefined): CertificateFault | undefined {
  const isController = certificate && urisOf(certificate).includes(CONTROLLER_URI);
  return isController && isFor(certificate, CLIENT_USE) ? undefined : 'wrong_role';
}

function agentFault(certificate: X509Certificate | undefined, host: string): CertificateFault | undefined {
  const isAgent = certificate && urisOf(certificate).some((uri) => agentOf(uri) !== undefined);
  if (!isAgent || !isFor(certificate, SERVER_USE)) return 'wrong_role';
  return namesHost(certificate, host) ? undefined : 'other_host';
}

/** Names in our certificates need no quoting: our CA writes none that would. */
function urisOf(certificate: X509Certificate): string[] {
  const names = certificate.subjectAltName?.split(', ') ?? [];
  return names.filter((name) => name.startsWith('URI:')).map((name) => name.slice('URI:'.length));
}

function isFor(certificate: X509Certificate, use: string): boolean {
  return certificate.keyUsage?.includes(use) ?? false;
}

/** The facts that tell which certificate it is and what to compare: names, or dates and the clock that they were held against. */
function describe(fault: CertificateFault, { certificate, chainFault: found }: PeerProof, now: Date): string {
  if (certificate === undefined) return '';
  const names = certificate.subjectAltName ?? certificate.subject;
  switch (fault) {
    case 'expired':
      return `${names}, ${certificate.validToDate.toISOString()} < ${now.toISOString()}`;
    case 'not_yet_valid':
      return `${names}, ${certificate.validFromDate.toISOString()} > ${now.toISOString()}`;
    case 'untrusted':
      return `${names}, ${found}`;
    default:
      return names;
  }
}
