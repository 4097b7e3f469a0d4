import { X509Certificate } from 'node:crypto';
import { type PeerCertificate, type SecureContext, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import { AGENT_SERVER_NAME } from '@sampan/shared/identity/identity-names.ts';
import { type CertificateRefusal, type PeerProof, refuseAgent } from '@sampan/shared/identity/judge-certificate.ts';
import { isLoopback } from '@sampan/shared/units.ts';
import type { AgentAddress } from './agent-address.ts';
import type { Peer } from './probe.ts';

/** How connections to agents are made, and whether who answers is the agent of the host that was dialled. */
export interface AgentSecurity {
  /** For one connection. @throws DeployError IDENTITY_MISSING: this host may not be dialled at all. */
  prepare(address: AgentAddress, peer: Peer): PreparedConnection;
  /**
   * Finds out why no connection came up, since gRPC does not say.
   * @throws DeployError CERTIFICATE_REFUSED, where that is why; what `signal` was aborted with.
   */
  diagnose(address: AgentAddress, peer: Peer, signal: AbortSignal): Promise<void>;
}

export interface PreparedConnection {
  credentials: ChannelCredentials;
  options: ChannelOptions;
  /** Why the peer may not be spoken to any more; undefined: it may. To be asked at every call. */
  refusal(): DeployError | undefined;
}

/** Without certificates: agents on this machine alone. */
export const loopbackOnly: AgentSecurity = {
  prepare({ host }, { ip }) {
    if (!isLoopback(ip)) throw new DeployError('IDENTITY_MISSING', { host });
    return { credentials: credentials.createInsecure(), options: {}, refusal: () => undefined };
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
      let proof: PeerProof | undefined;
      // Called once the chain is found good, before anything is sent.
      const checkServerIdentity = (_name: string, { raw }: PeerCertificate): CertificateRefusal | undefined => {
        proof = { certificate: new X509Certificate(raw), chainFault: undefined };
        return judge(proof, address);
      };
      return {
        credentials: credentials.createFromSecureContext(own.context, { checkServerIdentity }),
        // Under a name of its own: to an IP address TLS would fail (Node takes none as a server name).
        options: { 'grpc.ssl_target_name_override': AGENT_SERVER_NAME },
        refusal: () => judge(proof ?? NOT_SHOWN, address),
      };
    },
    async diagnose(address, peer, signal) {
      const refused = judge(await proofOf(peer, own.context, signal), address);
      if (refused) throw refused;
    },
  };
}

const NOT_SHOWN: PeerProof = { certificate: undefined, chainFault: undefined };

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
