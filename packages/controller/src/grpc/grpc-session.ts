import { type ClientHttp2Session, connect, constants } from 'node:http2';
import type { Duplex } from 'node:stream';
import { type CallListener, GrpcCall } from './grpc-call.ts';
import { GrpcFailure } from './grpc-status.ts';

/** For what waits to be sent; beyond, Node refuses the answers of other calls. */
const MAX_SESSION_MB = 100;
/** gRPC takes at the most eight digits of a unit. */
const MAX_TIMEOUT_DIGITS_MS = 99_999_999;

export interface SessionOptions {
  /** `:authority` of every call. */
  authority: string;
  /** While calls run, the other side is asked for a sign of life so often, and has as long to give it; as long, too, to close at the end. */
  keepaliveMs: number;
  /** So long after the last call it closes. */
  idleMs: number;
}

/**
 * Calls over one HTTP/2 connection. It never connects again: who made the connection hears that it has ended, and why calls fail.
 *
 * grpc-js would do this and balance, resolve, retry and reconnect as well, none of which is wanted here. With thousands of agents that
 * was most of what they cost: 15 KB of heap each, and twice the processor time a call.
 */
export class GrpcSession {
  readonly #session: ClientHttp2Session;
  readonly #socket: Duplex;
  readonly #options: SessionOptions;
  readonly #ended = new AbortController();
  readonly #calls = new Set<GrpcCall>();
  readonly #idle: NodeJS.Timeout;
  #keepalive: NodeJS.Timeout | undefined;
  #lingering: NodeJS.Timeout | undefined;

  private constructor(session: ClientHttp2Session, socket: Duplex, options: SessionOptions) {
    this.#session = session;
    this.#socket = socket;
    this.#options = options;
    this.#idle = setTimeout(() => this.#closeIfIdle(), options.idleMs).unref();
    session.once('goaway', () => this.close());
    session.once('close', () => this.#onClosed());
    // Each call that runs is told of it.
    session.on('error', () => undefined);
  }

  /**
   * Speaks HTTP/2 on a connected socket; resolves once the other side has, too.
   * @throws Error when it speaks something else, or the socket ends before.
   */
  static async open(socket: Duplex, options: SessionOptions): Promise<GrpcSession> {
    const session = connect('http://agent', {
      createConnection: () => socket,
      settings: { enablePush: false },
      maxSessionMemory: MAX_SESSION_MB,
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onClose = () => reject(new GrpcFailure('UNAVAILABLE', 'the connection ended before HTTP/2 was spoken'));
    session
      .once('remoteSettings', () => resolve())
      .once('error', reject)
      .once('close', onClose);
    try {
      await promise;
    } catch (error) {
      session.on('error', () => undefined).destroy();
      throw error;
    }
    session.off('error', reject).off('close', onClose);
    return new GrpcSession(session, socket, options);
  }

  /** Aborted once it takes no more calls: lost, idle for too long, told to go away, or closed. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  get isBusy(): boolean {
    return this.#calls.size > 0;
  }

  /**
   * Begins a call of the method at `path`, such as `/package.Service/Method`.
   * @throws GrpcFailure UNAVAILABLE when the session has ended.
   */
  call(path: string, listener: CallListener, timeoutMs: number): GrpcCall {
    if (this.ended.aborted || this.#session.closed || this.#session.destroyed) {
      this.close();
      throw new GrpcFailure('UNAVAILABLE', 'the connection has ended');
    }
    const stream = this.#session.request({
      [constants.HTTP2_HEADER_METHOD]: constants.HTTP2_METHOD_POST,
      [constants.HTTP2_HEADER_SCHEME]: this.#session.encrypted ? 'https' : 'http',
      [constants.HTTP2_HEADER_AUTHORITY]: this.#options.authority,
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
      'grpc-timeout': timeoutText(timeoutMs),
    });
    const onEnd = (failure: unknown) => {
      this.#calls.delete(call);
      this.#idle.refresh();
      if (this.ended.aborted) this.#endSoon();
      // Whoever hears that a call was lost is not to find this session in use.
      if (this.#session.destroyed) this.close();
      listener.onEnd(failure);
    };
    const call = new GrpcCall(
      stream,
      { onMessage: listener.onMessage, onEnd },
      { timeoutMs, isLost: () => this.#session.destroyed },
    );
    this.#calls.add(call);
    this.#keepalive ??= setTimeout(() => this.#askForSign(), this.#options.keepaliveMs);
    return call;
  }

  /** Takes no more calls; those that run may finish. */
  close(): void {
    if (this.ended.aborted) return;
    this.#ended.abort();
    this.#session.close();
    this.#endSoon();
  }

  /** Ends the calls that run with `reason`. */
  cancelAll(reason: unknown): void {
    for (const call of [...this.#calls]) call.cancel(reason);
  }

  /** Once no call runs, Node waits for the other side to close, and some never do. */
  #endSoon(): void {
    if (this.isBusy || this.#socket.destroyed || this.#lingering) return;
    this.#lingering = setTimeout(() => this.#socket.destroy(), this.#options.keepaliveMs).unref();
  }

  /** A session that is closing would wait for its socket to end. */
  #lose(error: Error): void {
    this.#session.destroy(error);
    this.#socket.destroy();
  }

  #onClosed(): void {
    for (const timer of [this.#keepalive, this.#idle, this.#lingering]) clearTimeout(timer);
    this.close();
  }

  #closeIfIdle(): void {
    if (!this.isBusy) this.close();
  }

  /** A wire that was cut looks like one on which nothing is said. */
  #askForSign(): void {
    this.#keepalive = undefined;
    if (!this.isBusy || this.#session.destroyed) return;
    const { keepaliveMs } = this.#options;
    const timer = setTimeout(() => this.#lose(new Error('no sign of life')), keepaliveMs);
    this.#keepalive = timer;
    this.#ask((error) => {
      if (error || this.#keepalive !== timer || this.#session.destroyed) return;
      clearTimeout(timer);
      this.#keepalive = setTimeout(() => this.#askForSign(), keepaliveMs);
    });
  }

  /** Node sends no ping on a session that is closing, as it is after a GOAWAY; settings are acknowledged as well. */
  #ask(answered: (error: Error | null) => void): void {
    if (this.#session.closed) this.#session.settings({ enablePush: false }, answered);
    else this.#session.ping(answered);
  }
}

/** In milliseconds, or in seconds where those would be too many. */
function timeoutText(timeoutMs: number): string {
  const ms = Math.max(1, Math.ceil(timeoutMs));
  return ms <= MAX_TIMEOUT_DIGITS_MS ? `${ms}m` : `${Math.ceil(ms / 1000)}S`;
}
