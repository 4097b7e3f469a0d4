import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2';
import { MAX_TIMER_MS } from '@sampan/shared/units.ts';
import { failureOfHttp, failureOfReset, statusOf } from './end-of-call.ts';
import { GrpcFailure } from './grpc-status.ts';
import { frame, MessageReader } from './messages.ts';

const ENDED = 'the call has ended';

/** What whoever makes a call hears of it. */
export interface CallListener {
  /** One message of the answer. What it throws ends the call. */
  onMessage(message: Buffer): void;
  /** Once, after the last message. Undefined: it has succeeded; else a GrpcFailure, what `cancel` was told, or what `onMessage` threw. */
  onEnd(failure: unknown): void;
}

/**
 * One call: messages out, messages back, a status at the end.
 *
 * INVARIANT: `onEnd` comes once, and nothing after it. With a status it waits for the messages before, however slowly they are read.
 */
export class GrpcCall {
  readonly #stream: ClientHttp2Stream;
  readonly #listener: CallListener;
  readonly #isLost: () => boolean;
  readonly #messages = new MessageReader();
  readonly #deadline: NodeJS.Timeout;
  #status: GrpcFailure | 'OK' | undefined;
  #error: unknown;
  #isOver = false;

  /** `isLost` says whether the connection is gone. */
  constructor(
    stream: ClientHttp2Stream,
    listener: CallListener,
    { timeoutMs, isLost }: { timeoutMs: number; isLost: () => boolean },
  ) {
    this.#stream = stream;
    this.#listener = listener;
    this.#isLost = isLost;
    this.#deadline = setTimeout(
      () => this.cancel(new GrpcFailure('DEADLINE_EXCEEDED', '')),
      Math.min(timeoutMs, MAX_TIMER_MS),
    );
    stream.on('response', (headers) => this.#onHeaders(headers));
    stream.on('trailers', (headers) => this.#onStatus(statusOf(headers)));
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('end', () => this.#onRead());
    stream.on('error', (error) => {
      this.#error = error;
    });
    stream.on('close', () => this.#onClose());
  }

  /** Sends a message; false: `drained` should be waited for before the next. */
  send(message: Uint8Array): boolean {
    return this.#stream.write(frame(message));
  }

  /** Sends the only message, or the last one; or none, after those that were sent. */
  finish(message?: Uint8Array): void {
    if (message === undefined) this.#stream.end();
    else this.#stream.end(frame(message));
  }

  /** Resolves once more may be sent. @throws when the call ends before. */
  async drained(): Promise<void> {
    if (this.#isOver || this.#stream.destroyed) throw new GrpcFailure('CANCELLED', ENDED);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onClose = () => reject(new GrpcFailure('CANCELLED', ENDED));
    this.#stream.once('drain', resolve).once('close', onClose);
    try {
      await promise;
    } finally {
      this.#stream.off('drain', resolve).off('close', onClose);
    }
  }

  /** No messages until `resume`: what comes meanwhile waits at the other side, but for the window of a stream. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Ends it on this side with `reason`, and tells the other one that nobody listens any more. */
  cancel(reason: unknown): void {
    if (this.#isOver) return;
    this.#end(reason);
    this.#stream.close(constants.NGHTTP2_CANCEL);
    // Nothing of what is left has to be read before it closes.
    this.#stream.resume();
  }

  #onHeaders(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): void {
    const status = statusOf(headers);
    const notGrpc = status === undefined && failureOfHttp(headers[':status']);
    // What a page says is for nobody to read.
    if (notGrpc) this.cancel(notGrpc);
    else this.#onStatus(status);
  }

  #onStatus(status: GrpcFailure | 'OK' | undefined): void {
    this.#status ??= status;
    if (this.#stream.readableEnded) this.#onRead();
  }

  #onData(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#messages.push(chunk, (message) => {
        if (!this.#isOver) this.#listener.onMessage(message);
      });
    } catch (error) {
      this.cancel(error);
    }
  }

  /** Every message was read. The status may come after that. */
  #onRead(): void {
    if (this.#status === undefined) return;
    if (this.#status !== 'OK') this.#end(this.#status);
    else if (this.#messages.isWithin) this.#end(new GrpcFailure('INTERNAL', 'the answer ends within a message'));
    else this.#end(undefined);
  }

  #onClose(): void {
    if (this.#isOver) return;
    const isTold = this.#status !== undefined && (this.#status !== 'OK' || this.#stream.readableEnded);
    if (isTold) this.#onRead();
    else if (this.#isLost()) this.#end(new GrpcFailure('UNAVAILABLE', 'the connection broke', { cause: this.#error }));
    else this.#end(failureOfReset(this.#stream.rstCode ?? constants.NGHTTP2_NO_ERROR, this.#error));
  }

  #end(failure: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#deadline);
    // The other side wants no more of it.
    if (!this.#stream.writableEnded) this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#listener.onEnd(failure);
  }
}
