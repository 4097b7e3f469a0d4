import type { WebSocket } from 'ws';

/** How a client that takes its messages slowly is treated. */
export interface SenderLimits {
  /** So much may wait in this process for one client. */
  maxBufferedBytes: number;
  /** A client that has taken nothing for so long is dropped. */
  stallMs: number;
  /** So often it is asked for a sign of life. */
  pingMs: number;
}

export const SENDER_LIMITS: SenderLimits = { maxBufferedBytes: 256 * 1024, stallMs: 30_000, pingMs: 30_000 };

/** Close codes: the last two are ours, of the range that is for applications. */
export const CLOSE = { done: 1000, goingAway: 1001, tooSlow: 4008, failed: 4011 } as const;

/**
 * Sends to one WebSocket no faster than it takes, so that one which stops reading costs a bounded number of bytes, and nobody else
 * anything.
 */
export class SocketSender {
  readonly #socket: WebSocket;
  readonly #limits: SenderLimits;
  readonly #gone = new AbortController();
  readonly #pings: NodeJS.Timeout;
  #isAlive = true;
  #last = Promise.resolve();

  constructor(socket: WebSocket, limits: SenderLimits = SENDER_LIMITS) {
    this.#socket = socket;
    this.#limits = limits;
    socket.on('pong', () => {
      this.#isAlive = true;
    });
    socket.on('error', () => this.#end());
    socket.on('close', () => this.#end());
    this.#pings = setInterval(() => this.#ping(), limits.pingMs).unref();
  }

  /** Aborted once the client is gone, or was dropped. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Resolves when there is room for more. @throws what `gone` was aborted with. */
  send(message: object): Promise<void> {
    this.#last = this.#last.then(() => this.#send(JSON.stringify(message)));
    // Whoever waits is told; the chain itself must not end the process.
    this.#last.catch(() => undefined);
    return this.#last;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  async #send(text: string): Promise<void> {
    this.gone.throwIfAborted();
    const taken = Promise.withResolvers<void>();
    this.#socket.send(text, (error) => (error ? taken.reject(error) : taken.resolve()));
    taken.promise.catch(() => undefined);
    if (this.#socket.bufferedAmount < this.#limits.maxBufferedBytes) return;
    const timer = setTimeout(() => this.#drop(), this.#limits.stallMs);
    try {
      await taken.promise;
    } catch {
      // Known before the socket says that it is closed.
      this.#end();
      this.gone.throwIfAborted();
    } finally {
      clearTimeout(timer);
    }
  }

  /** It does not read, so it would not read the goodbye either: what it has got so far tells it where to go on. */
  #drop(): void {
    this.#socket.close(CLOSE.tooSlow, 'too slow: connect again with ?after= the last number that came');
    this.#socket.terminate();
    this.#end();
  }

  #ping(): void {
    if (!this.#isAlive) {
      this.#drop();
      return;
    }
    this.#isAlive = false;
    this.#socket.ping();
  }

  #end(): void {
    clearInterval(this.#pings);
    this.#gone.abort(new Error('the client is gone'));
  }
}
