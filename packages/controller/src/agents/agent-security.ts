import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { type SecureContext, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import { AGENT_SERVER_NAME } from '@sampan/shared/identity/identity-names.ts';
import { type PeerProof, refuseAgent } from '@sampan/shared/identity/judge-certificate.ts';
import { isLoopback } from '@sampan/shared/units.ts';
import type { AgentAddress } from './agent-address.ts';

/** How connections to agents are made, and whether who answers is the agent of the host that was dialled. */
export interface AgentSecurity {
  /** For one connection. `secure` throws DeployError IDENTITY_MISSING: this host may not be spoken to at all; CERTIFICATE_REFUSED. */
  prepare(address: AgentAddress): PreparedConnection;
  /**
   * Finds out why TLS, or what comes after it, did not come up: TLS itself says less than an SRE has to know.
   * @throws DeployError CERTIFICATE_REFUSED, where that is why; what `signal` was aborted with.
   */
  diagnose(address: AgentAddress, peer: Peer, signal: AbortSignal): Promise<void>;
}

/** Where a connection led, after the name was resolved. */
export interface Peer {
  ip: string;
  port: number;
}

export interface PreparedConnection {
  /** How the TCP connection becomes one that calls may go over: resolves with the socket to speak HTTP/2 on. @throws why it may not be. */
  secure(socket: Socket): Promise<Socket>;
  /** Why the peer may not be spoken to any more; undefined: it may. To be asked at every call. */
  refusal(): DeployError | undefined;
}

/** Without certificates: agents on this machine alone. */
export const loopbackOnly: AgentSecurity = {
  prepare({ host }) {
    return {
      async secure(socket) {
        if (!isLoopback(socket.remoteAddress ?? '')) throw new DeployError('IDENTITY_MISSING', { host });
        return socket;
      },
      refusal: () => undefined,
    };
  },
  diagnose: async () => undefined,
};

/** What the controller shows to agents, and which of their certificates it has revoked. */
export interface Credentials {
  /** One for all connections: each context of its own would cost 50 kB. */
  readonly context: SecureContext;
  isRevoked(serial: string): boolean;
}

/** Under TLS both ways, for every agent. */
export function mutualTls(own: Credentials): AgentSecurity {
  const judge = (proof: PeerProof, { host }: AgentAddress) =>
    refuseAgent(proof, { host, isRevoked: (serial) => own.isRevoked(serial) });
  return {
    prepare(address) {
      let shown: ShownCertificate | undefined;
      // Called once the chain is found good, before anything is sent.
      const judgeShown = (certificate: X509Certificate) => {
        const { raw, serialNumber, validFromDate, validToDate } = certificate;
        shown = { raw, serial: serialNumber, fromMs: validFromDate.getTime(), toMs: validToDate.getTime() };
        return judge({ certificate, chainFault: undefined }, address);
      };
      return {
        secure: (socket) => underTls(socket, own.context, judgeShown),
        refusal() {
          if (shown === undefined) return judge(NOT_SHOWN, address);
          if (isGoodNow(shown, own)) return undefined;
          return judge({ certificate: new X509Certificate(shown.raw), chainFault: undefined }, address);
        },
      };
    },
    async diagnose(address, peer, signal) {
      const refused = judge(await proofOf(peer, own.context, signal), address);
      if (refused) throw refused;
    },
  };
}

const NOT_SHOWN: PeerProof = { certificate: undefined, chainFault: undefined };

/** A certificate that was judged: what may change about it since, and, for whoever has to be told, the whole (DER). */
interface ShownCertificate {
  raw: Buffer;
  serial: string;
  fromMs: number;
  toMs: number;
}

/**
 * Speaks TLS on a connected socket. Rejects with what `judge` returns, or TLS found.
 *
 * Node describes the whole chain in an object before it asks for a judgement, which takes longer than all else that this process
 * does in a handshake. Nobody reads it here, so it is not made.
 */
function underTls(
  socket: Socket,
  secureContext: SecureContext,
  judge: (certificate: X509Certificate) => Error | undefined,
): Promise<TLSSocket> {
  const tlsSocket: TLSSocket = tlsConnect({
    socket,
    secureContext,
    // A name of its own: to an IP address TLS would fail (Node takes none as a server name).
    servername: AGENT_SERVER_NAME,
    ALPNProtocols: ['h2'],
    checkServerIdentity() {
      const certificate = tlsSocket.getPeerX509Certificate();
      return certificate ? judge(certificate) : new Error('no certificate was shown');
    },
  });
  Object.assign(tlsSocket, { getPeerCertificate: () => ({}) });
  return new Promise((resolve, reject) => {
    tlsSocket.once('secureConnect', () => resolve(tlsSocket));
    // Stays: an error later on is one of the session, which hears of it itself.
    tlsSocket.on('error', reject);
  });
}

/** All else was true once and is for good. Asked at every call of every agent, so nothing is parsed here. */
function isGoodNow({ serial, fromMs, toMs }: ShownCertificate, own: Credentials): boolean {
  const nowMs = Date.now();
  return nowMs >= fromMs && nowMs <= toMs && !own.isRevoked(serial);
}

async function proofOf(peer: Peer, secureContext: SecureContext, signal: AbortSignal): Promise<PeerProof> {
  signal.throwIfAborted();
  const socket = tlsConnect({
    host: peer.ip,
    port: peer.port,
    secureContext,
    servername: AGENT_SERVER_NAME,
    ALPNProtocols: ['h2'],
    checkServerIdentity: () => undefined,
    // Nothing is sent: this looks at what the other side shows.
    rejectUnauthorized: false,
  });
  const stop = () => socket.destroy(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      socket.once('secureConnect', () => resolve(shownBy(socket)));
      socket.once('error', reject);
    });
  } catch (cause) {
    signal.throwIfAborted();
    if (!isNoTls(cause))
      throw new DeployError(
        'AGENT_UNREACHABLE',
        { reason: `${systemCode(cause) ?? 'EPROTO'} ${peer.ip}:${peer.port}` },
        { cause },
      );
    const detail = `${peer.ip}:${peer.port}`;
    throw new DeployError('CERTIFICATE_REFUSED', { whose: 'agent', fault: 'no_tls', detail }, { cause });
  } finally {
    signal.removeEventListener('abort', stop);
    socket.on('error', () => undefined).destroy();
  }
}

function shownBy(socket: TLSSocket): PeerProof {
  const { raw } = socket.getPeerCertificate();
  const chainFault = socket.authorized ? undefined : String(socket.authorizationError);
  return { certificate: raw && new X509Certificate(raw), chainFault };
}

/** What answers in another protocol: OpenSSL meets bytes that are no record of its own, or the connection is closed on it. */
function isNoTls(error: unknown): boolean {
  return ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'EPROTO'].includes(systemCode(error) ?? '');
}
