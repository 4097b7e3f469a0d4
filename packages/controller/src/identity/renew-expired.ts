import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import type { RequestOf } from '@sampan/shared/agent-definition.ts';
import { DeployError } from '@sampan/shared/errors.ts';
import { AGENT_SERVER_NAME } from '@sampan/shared/identity/identity-names.ts';
import { abortable } from '../abortable.ts';
import type { AgentAddress } from '../agents/agent-address.ts';
import { AgentConnection } from '../agents/agent-connection.ts';
import { callAgent } from '../agents/call-agent.ts';
import { GrpcSession } from '../grpc/grpc-session.ts';
import { keySha256 } from './certificate-records.ts';

/** An agent whose certificate has expired, and how it is known nonetheless. */
export interface KnownAgent {
  address: AgentAddress;
  /** What we connect with. */
  context: SecureContext;
  keySha256: string;
}

/**
 * Hands a certificate to an agent whose own has expired, and which the pool would not connect to; so this one call has a connection of
 * its own, to a peer that has just proved that it holds the known key. What is sent is public, and of use to the owner of that key alone.
 * @throws DeployError CERTIFICATE_REFUSED: another key; as `callAgent` does; what the socket failed with.
 */
export async function renewExpired(
  agent: KnownAgent,
  request: RequestOf<'RenewCertificate'>,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<void> {
  const socket = await connectTo(agent, signal);
  try {
    const options = { authority: agent.address.key, keepaliveMs: timeoutMs, idleMs: timeoutMs };
    const session = await abortable(GrpcSession.open(socket, options), signal);
    const connection = new AgentConnection(session, () => undefined);
    await callAgent(connection, { method: 'RenewCertificate', request, timeoutMs }, signal);
  } finally {
    socket.destroy();
  }
}

async function connectTo({ address, context, keySha256: known }: KnownAgent, signal: AbortSignal): Promise<TLSSocket> {
  const socket = connect({
    host: address.host,
    port: address.port,
    secureContext: context,
    servername: AGENT_SERVER_NAME,
    ALPNProtocols: ['h2'],
    // Its dates are what is wrong with it; the key is checked below.
    rejectUnauthorized: false,
  });
  socket.on('error', () => undefined);
  try {
    await once(socket, 'secureConnect', { signal });
    const { raw } = socket.getPeerCertificate();
    const shown = raw && new X509Certificate(raw);
    if (shown && keySha256(shown) === known) return socket;
    const detail = shown?.subjectAltName ?? '';
    throw new DeployError('CERTIFICATE_REFUSED', { whose: 'agent', fault: 'untrusted', detail });
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
