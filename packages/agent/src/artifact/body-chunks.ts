import type { Readable } from 'node:stream';
import { HttpTimeout } from './http-timeout.ts';

/** Chunks of 64 KiB at most, so this is what an answer may hold in memory. */
const MAX_WAITING_CHUNKS = 8;

/** The bytes of a body in their order, to be read once. */
export interface BodyChunks extends AsyncIterable<Buffer> {
  /** Gives up the rest: whoever reads gets no more. */
  stop(): void;
}

/**
 * Reads a body from now on, and hands out all that came before it ended or broke. Reading the stream itself would lose
 * what it holds when the connection breaks, and with it the place to go on from. Bytes that do not come within
 * `idleTimeoutMs`, while there is room for them, break it with an HttpTimeout.
 */
export function bodyChunks(body: Readable, idleTimeoutMs: number): BodyChunks {
  const waiting: Buffer[] = [];
  let end: { error?: unknown } | undefined;
  let wake: (() => void) | undefined;
  const idle = setTimeout(() => {
    // While we take none, it owes us none.
    if (body.isPaused()) idle.refresh();
    else body.destroy(new HttpTimeout('BODY_TIMEOUT'));
  }, idleTimeoutMs);
  const finish = (how: { error?: unknown }) => {
    clearTimeout(idle);
    end ??= how;
    wake?.();
  };
  body.on('data', (chunk: Buffer) => {
    waiting.push(chunk);
    idle.refresh();
    if (waiting.length >= MAX_WAITING_CHUNKS) body.pause();
    wake?.();
  });
  body.on('end', () => finish({})).on('error', (error) => finish({ error }));

  async function* read(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        const chunk = waiting.shift();
        if (chunk === undefined && end?.error !== undefined) throw end.error;
        if (chunk === undefined && end !== undefined) return;
        if (chunk !== undefined) yield chunk;
        else await new Promise<void>((resolve) => (wake = resolve));
        if (waiting.length < MAX_WAITING_CHUNKS / 2 && body.isPaused()) {
          idle.refresh();
          body.resume();
        }
      }
    } finally {
      clearTimeout(idle);
      body.destroy();
    }
  }

  return {
    [Symbol.asyncIterator]: read,
    stop() {
      waiting.length = 0;
      finish({});
      body.destroy();
    },
  };
}
