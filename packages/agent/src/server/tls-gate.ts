import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { performServerHandshake } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import type { DeployError } from '@sampan/shared/errors.ts';
import { type PeerProof, refuseController } from '@sampan/shared/identity/judge-certificate.ts';
import { splitPem } from '@sampan/shared/identity/pem.ts';
import { ConfigError } from '@sampan/shared/load-config.ts';
import type { Logger } from '@sampan/shared/logger.ts';
import type { ListenAddress } from '@sampan/shared/units.ts';
import { ERROR_KEY } from '@sampan/shared/wire-error.ts';
import type { Identity } from '../identity/identity.ts';
import { isSignedByOne } from '../identity/identity-files.ts';
import { toServiceError } from './service-error.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Time for a peer that is refused to read why. */
const REFUSAL_MS = 5_000;
/** Of one refused peer: it needs one to read why. */
const MAX_REFUSED_STREAMS = 16;
/** Connections that are not let in, at one time. Where there are more, the oldest goes: the controller's own takes milliseconds. */
const MAX_STRANGERS = 200;
const TOLD_EVERY_MS = 1_000;
const LOOK_EVERY_MS = 10_000;

/**
 * The agent's port under TLS. It lets in the controller alone, judged once as a connection is made and again at each call.
 * INVARIANT: `#peers` holds the sockets that were let in, and only those; who is not there is nobody.
 *
 * TLS itself turns nobody away: a client that is refused inside the handshake learns no reason, and no reason is what an
 * SRE would find in the controller's log. The refused get a session that knows no service and says why.
 */
export class TlsGate {
  readonly #server: Server;
  readonly #log: Logger;
  readonly #peers = new Map<string, { socket: TLSSocket; proof: PeerProof }>();
  readonly #strangers = new Set<Socket>();
  #timer: NodeJS.Timeout | undefined;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  /** `admit` is handed each connection that was let in. */
  constructor(identity: Identity, admit: (socket: TLSSocket) => void, log: Logger) {
    this.#log = log;
    this.#server = createServer({
      ...contextOf(identity),
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.3',
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    });
    identity.onChange(() => {
      this.#server.setSecureContext(contextOf(identity));
      this.#dropThoseOfOldRoots(identity);
    });
    this.#server.on('connection', (socket: Socket) => this.#countStranger(socket));
    this.#server.on('secureConnection', (socket) => this.#receive(socket, admit));
    this.#server.on('tlsClientError', (error, socket) => {
      this.#tell('info', { err: error, peer: peerOf(socket) }, 'no TLS connection');
      socket.destroy();
    });
  }

  /** Opens the port; says which, where 0 was asked for. @throws ConfigError */
  async listen({ host, port }: ListenAddress): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening').catch((cause: Error) => {
      throw new ConfigError(`cannot listen on ${host}:${port}: ${cause.message}`, { cause });
    });
    this.#timer = setInterval(() => this.#dropExpired(), LOOK_EVERY_MS).unref();
    return (this.#server.address() as AddressInfo).port;
  }

  /** Why a peer, `address:port` of a connection, is not obeyed any more; undefined: it is. */
  refusalOf(peer: string): DeployError | undefined {
    return refuseController(this.#peers.get(peer)?.proof ?? NOBODY);
  }

  /** Takes no new connections. Those that are open are their user's. */
  close(): void {
    clearInterval(this.#timer);
    this.#server.close();
  }

  #receive(socket: TLSSocket, admit: (socket: TLSSocket) => void): void {
    const proof = proofOf(socket);
    const peer = peerOf(socket);
    const refused = refuseController(proof);
    socket.on('error', (error) => this.#log.debug({ err: error, peer }, 'connection broke'));
    if (refused) {
      this.#tell('warn', { peer, ...refused.params }, 'peer refused');
      refuse(socket, refused);
      return;
    }
    this.#peers.set(peer, { socket, proof });
    for (const stranger of this.#strangers) if (peerOf(stranger) === peer) this.#strangers.delete(stranger);
    socket.once('close', () => {
      if (this.#peers.get(peer)?.socket === socket) this.#peers.delete(peer);
    });
    admit(socket);
  }

  #countStranger(socket: Socket): void {
    this.#strangers.add(socket);
    socket.once('close', () => this.#strangers.delete(socket));
    const [oldest] = this.#strangers;
    if (this.#strangers.size > MAX_STRANGERS) oldest?.destroy();
  }

  /** Strangers decide how often they come, and must not fill the log. */
  #tell(level: 'info' | 'warn', facts: object, message: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldAtMs < TOLD_EVERY_MS) return;
    this.#toldAtMs = nowMs;
    this.#log[level](facts, message);
  }

  /** A root that is trusted no longer takes with it the connections that it let in. */
  #dropThoseOfOldRoots({ pem }: Identity): void {
    const roots = splitPem(pem.roots).map((text) => new X509Certificate(text));
    for (const [peer, { socket, proof }] of this.#peers) {
      const { certificate } = proof;
      if (certificate && isSignedByOne(certificate, roots)) continue;
      this.#log.warn({ peer }, 'connection closed: its root is trusted no longer');
      socket.destroy();
    }
  }

  #dropExpired(): void {
    for (const [peer, { socket, proof }] of this.#peers) {
      const refused = refuseController(proof);
      if (!refused) continue;
      this.#log.warn({ peer, ...refused.params }, 'connection closed');
      socket.destroy();
    }
  }
}

const NOBODY: PeerProof = { certificate: undefined, chainFault: undefined };

function contextOf({ pem }: Identity): SecureContextOptions {
  return { key: pem.key, cert: pem.certificate, ca: pem.roots };
}

function proofOf(socket: TLSSocket): PeerProof {
  const { raw } = socket.getPeerCertificate();
  return {
    certificate: raw && new X509Certificate(raw),
    chainFault: socket.authorized ? undefined : String(socket.authorizationError ?? 'UNKNOWN'),
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}

/** Answers whatever is called, known or not, with the refusal; then closes. */
function refuse(socket: TLSSocket, refusal: DeployError): void {
  const { code, details, metadata } = toServiceError(refusal);
  const session = performServerHandshake(socket, {
    settings: { maxConcurrentStreams: MAX_REFUSED_STREAMS },
    // In MiB, the least that there is.
    maxSessionMemory: 1,
  });
  let streams = 0;
  session.on('error', () => socket.destroy());
  session.on('stream', (stream) => {
    stream.on('error', () => socket.destroy());
    streams += 1;
    if (streams > MAX_REFUSED_STREAMS) socket.destroy();
    if (stream.destroyed || socket.destroyed) return;
    const carried = metadata.get(ERROR_KEY)[0] as Buffer;
    stream.respond(
      {
        ':status': 200,
        'content-type': 'application/grpc',
        'grpc-status': code,
        'grpc-message': details,
        [ERROR_KEY]: carried.toString('base64'),
      },
      { endStream: true },
    );
  });
  const timer = setTimeout(() => socket.destroy(), REFUSAL_MS);
  socket.once('close', () => clearTimeout(timer));
}
