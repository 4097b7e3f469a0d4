import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import { DeployError } from '@sampan/shared/errors.ts';
import type { RenewCertificateRequest } from '@sampan/shared/gen/sampan/agent/v1/RenewCertificateRequest.ts';
import { AGENT_SERVER_NAME } from '@sampan/shared/identity/identity-names.ts';
import { loadProto } from '@sampan/shared/load-proto.ts';
import type { AgentAddress } from '../agents/agent-address.ts';
import { keySha256 } from './certificate-records.ts';

const { path, requestSerialize } = loadProto().types.sampan.agent.v1.Agent.service.RenewCertificate;

/** An agent whose certificate has expired, and how it is known nonetheless. */
export interface KnownAgent {
  address: AgentAddress;
  /** What we connect with. */
  context: SecureContext;
  keySha256: string;
}

/**
 * Hands a certificate to an agent whose own has expired. gRPC would not connect to it; so this one call is made by hand, to a
 * peer that has just proved that it holds the known key. What is sent is public, and of use to the owner of that key alone.
 * @throws DeployError CERTIFICATE_REFUSED: another key; AGENT_UNAUTHENTICATED: it did not take it; what the socket failed with.
 */
export async function renewExpired(
  agent: KnownAgent,
  request: RenewCertificateRequest,
  signal: AbortSignal,
): Promise<void> {
  const socket = await connectTo(agent, signal);
  const session = connectHttp2('https://agent', { createConnection: () => socket });
  try {
    const status = await send(session, requestSerialize(request), signal);
    if (status !== '0')
      throw new DeployError('AGENT_UNAUTHENTICATED', { reason: `RenewCertificate: gRPC status ${status}` });
  } finally {
    session.on('error', () => undefined).destroy();
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
  try {
    await once(socket, 'secureConnect', { signal });
    const { raw } = socket.getPeerCertificate();
    const shown = raw && new X509Certificate(raw);
    if (shown && keySha256(shown) === known) return socket;
    const detail = shown?.subjectAltName ?? '';
    throw new DeployError('CERTIFICATE_REFUSED', { whose: 'agent', fault: 'untrusted', detail });
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    throw error;
  }
}

/** Resolves to the gRPC status. */
async function send(session: ClientHttp2Session, message: Buffer, signal: AbortSignal): Promise<string> {
  const stream = session.request(
    {
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      'content-type': 'application/grpc',
      te: 'trailers',
    },
    { signal },
  );
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  // A failure without a body puts the status among the headers.
  const look = (headers: Record<string, unknown>) =>
    headers['grpc-status'] !== undefined && resolve(String(headers['grpc-status']));
  stream.on('response', look).on('trailers', look).on('error', reject);
  session.on('error', reject);
  stream.on('close', () => reject(new Error('the agent closed the call without an answer')));
  stream.end(Buffer.concat([head, message]));
  stream.resume();
  return await promise;
}
