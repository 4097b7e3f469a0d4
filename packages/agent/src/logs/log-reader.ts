import { type LogChunk, MAX_CHUNK_BYTES } from './log-chunk.ts';
import type { OpenLog } from './open-log.ts';

/** Bytes before the position that must still be there: they tell a file that grew from one that was cut and grew past the position. */
const REMEMBERED_BYTES = 64;

/**
 * Reads one open log forwards, character by whole character, and notices when it is cut (logrotate's `copytruncate`).
 * It holds no resource of its own: the handle belongs to whoever opened it.
 */
export class LogReader {
  readonly log: OpenLog;
  #position = 0;
  #remembered: Buffer = Buffer.alloc(0);
  #decoder = newDecoder();
  /** Whether the next chunk is the first of a new file. */
  #rotated = false;
  /** Whether zeros that come now are the hole before the offset of a program that does not append. */
  #afterCut = false;
  readonly #buffer = Buffer.allocUnsafe(REMEMBERED_BYTES + MAX_CHUNK_BYTES);

  private constructor(log: OpenLog) {
    this.log = log;
  }

  /** A reader that starts at byte `position` of a file that is being tailed. */
  static async at(log: OpenLog, position: number): Promise<LogReader> {
    const reader = new LogReader(log);
    const start = Math.max(0, position - REMEMBERED_BYTES);
    const { buffer, bytesRead } = await log.handle.read(Buffer.alloc(position - start), { position: start });
    reader.#position = position;
    reader.#remembered = buffer.subarray(0, bytesRead);
    return reader;
  }

  /** A reader that starts at the beginning of a file that took another's place. */
  static ofSuccessor(log: OpenLog): LogReader {
    const reader = new LogReader(log);
    reader.#rotated = true;
    return reader;
  }

  /** What there is now from the position on, at most `maxBytes` of it. After a cut it goes on from the new beginning. */
  async *chunks(maxBytes: number, signal: AbortSignal): AsyncGenerator<LogChunk> {
    for (let left = maxBytes; left > 0; ) {
      signal.throwIfAborted();
      const bytes = await this.#next(Math.min(left, MAX_CHUNK_BYTES));
      if (bytes === 'cut') {
        yield* this.flush();
        this.#restart();
        continue;
      }
      if (bytes.length === 0) return;
      left -= bytes.length;
      yield* this.#chunk(this.#decoder.decode(this.#withoutHole(bytes), { stream: true }));
    }
  }

  /** What is left of a character that will not be completed: U+FFFD, or nothing. */
  *flush(): Generator<LogChunk> {
    yield* this.#chunk(this.#decoder.decode());
  }

  *#chunk(text: string): Generator<LogChunk> {
    if (text === '') return;
    const rotated = this.#rotated;
    this.#rotated = false;
    yield { text, truncated: false, rotated };
  }

  /** One read brings what was seen last time together with what follows it. */
  async #next(wanted: number): Promise<Buffer | 'cut'> {
    const known = this.#remembered.length;
    const { bytesRead } = await this.log.handle.read(this.#buffer, 0, known + wanted, this.#position - known);
    const bytes = this.#buffer.subarray(0, bytesRead);
    if (!bytes.subarray(0, known).equals(this.#remembered)) return 'cut';
    this.#position += bytesRead - known;
    this.#remembered = Buffer.from(bytes.subarray(-REMEMBERED_BYTES));
    return bytes.subarray(known);
  }

  #restart(): void {
    this.#decoder = newDecoder();
    this.#position = 0;
    this.#remembered = Buffer.alloc(0);
    this.#rotated = true;
    this.#afterCut = true;
  }

  /** A program that does not append writes on at its old offset after a cut: what lies before it reads as zeros. */
  #withoutHole(bytes: Buffer): Buffer {
    if (!this.#afterCut) return bytes;
    if (bytes.equals(zeros.subarray(0, bytes.length))) return bytes.subarray(bytes.length);
    this.#afterCut = false;
    return bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  }
}

const zeros = Buffer.alloc(MAX_CHUNK_BYTES);

function newDecoder(): TextDecoder {
  return new TextDecoder('utf-8', { ignoreBOM: true });
}
