import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, gunzipSync } from 'node:zlib';
import { systemCode } from '@sampan/shared/errors.ts';
import { ChunkGarbage } from '../host/chunk-garbage.ts';
import { corrupt } from './corrupt.ts';
import { recognize } from './recognize.ts';

/** What becomes of the bytes of a tar archive. `compressed`: how many of the artifact's bytes they came from, in all so far. */
export type TarSink = (bytes: Buffer, compressed: number) => void;

const GUNZIP = {
  /** Node's gunzip is faster than gzip with pieces of this size, and slower with those of 16 KiB that it makes by default. */
  chunkSize: 256 * 1024,
  /** As much waits before and behind the gunzip thread: it works while this thread writes files. */
  highWaterMark: 256 * 1024,
};

/** What Node accepts. */
const MIN_PIECE_BYTES = 64;

/** The first bytes of an artifact, and all its bytes, those included. */
export interface Peeked {
  head: Buffer;
  chunks: AsyncIterable<Buffer>;
}

/** Looks at the first `length` bytes, or at all where there are fewer. */
export async function peek(input: AsyncIterable<Buffer>, length: number): Promise<Peeked> {
  const iterator = input[Symbol.asyncIterator]();
  const parts: Buffer[] = [];
  for (let have = 0; have < length; ) {
    const next = await iterator.next();
    if (next.done) break;
    parts.push(next.value);
    have += next.value.length;
  }
  const head = joined(parts);
  return { head, chunks: follow(head, { [Symbol.asyncIterator]: () => iterator }) };
}

/** Hands what was in the gzip file `chunks` to `sink`. @throws ARCHIVE_CORRUPT, and what `sink` throws. */
export type Gunzip = (chunks: AsyncIterable<Buffer>, sink: TarSink) => Promise<void>;

/**
 * Hands the tar archive in `input` to `sink`, gunzipped where it is gzip by its first bytes.
 * @returns whether it was gzip, which has checked all its bytes against its trailer.
 * @throws ARCHIVE_CORRUPT, and what `sink` throws.
 */
export async function decode(
  { head, chunks }: Peeked,
  sink: TarSink,
  gunzip: Gunzip = gunzipBeside,
): Promise<{ gzip: boolean }> {
  if (recognize(head) === 'gzip') {
    await gunzip(chunks, sink);
    return { gzip: true };
  }
  let received = 0;
  for await (const chunk of chunks) {
    received += chunk.length;
    sink(chunk, received);
  }
  return { gzip: false };
}

/** For a small artifact all of which has come, where nobody else waits for this thread: some 10 % of its time less. */
export function gunzipAtOnce(maxBytes: number): Gunzip {
  return async (chunks, sink) => {
    const parts: Buffer[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    const all = joined(parts);
    const bytes = gunzipWhole(all, maxBytes);
    sink(bytes, all.length);
    garbageAtOnce.passed(bytes.length);
  };
}

/** Of one artifact after the other. */
const garbageAtOnce = new ChunkGarbage();

function gunzipWhole(bytes: Buffer, maxBytes: number): Buffer {
  try {
    // All in one piece where its last four bytes say the truth; else Node puts the pieces together.
    const said = bytes.length < 4 ? 0 : bytes.readUInt32LE(bytes.length - 4);
    const chunkSize = Math.max(MIN_PIECE_BYTES, Math.min(said, maxBytes) + 1);
    return gunzipSync(bytes, { chunkSize, maxOutputLength: maxBytes });
  } catch (error) {
    throw asCorrupt(error);
  }
}

/** Nothing is copied where there is one part, as there is of a small artifact. */
function joined(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}

async function* follow(head: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield head;
  yield* rest;
}

/** Piece by piece, on a thread of Node's own. */
async function gunzipBeside(chunks: AsyncIterable<Buffer>, sink: TarSink): Promise<void> {
  const pieces = createGunzip(GUNZIP);
  const garbage = new ChunkGarbage();
  const write = (piece: Buffer, _: string, done: (error?: Error) => void) => {
    // In a turn of its own: by then the thread has the next piece to work on.
    setImmediate(() => {
      garbage.passed(piece.length);
      attempt(() => sink(piece, pieces.bytesWritten), done);
    });
  };
  try {
    await pipeline(chunks, pieces, new Writable({ write }));
  } catch (error) {
    throw asCorrupt(error);
  }
}

function asCorrupt(error: unknown): unknown {
  return systemCode(error)?.startsWith('Z_') ? corrupt(`gzip: ${(error as Error).message}`, error) : error;
}

function attempt(act: () => void, done: (error?: Error) => void): void {
  try {
    act();
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  done();
}
