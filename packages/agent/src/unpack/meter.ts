import { overLimit } from './entry-path.ts';
import type { UnpackLimits } from './unpack-order.ts';

/** Small archives may be as regular as they like. */
const RATIO_COUNTS_FROM_BYTES = 10 * 1024 * 1024;

/** Holds what an archive grows to against the limits, as it grows. Throws ARCHIVE_LIMIT. */
export class Meter {
  readonly #limits: UnpackLimits;
  #bytes = 0;
  #entries = 0;

  constructor(limits: UnpackLimits) {
    this.#limits = limits;
  }

  /** More bytes have come out, headers and padding included, of `compressed` bytes that went in so far. */
  addBytes(count: number, compressed: number): void {
    this.#bytes += count;
    if (this.#bytes > this.#limits.max_bytes) throw overLimit('max_bytes', this.#limits);
    if (this.#bytes > RATIO_COUNTS_FROM_BYTES && this.#bytes > compressed * this.#limits.max_ratio) {
      throw overLimit('max_ratio', this.#limits);
    }
  }

  /** A file of this size is announced, or is to be copied: refused before any of it is written. */
  announce(size: number, entry: string): void {
    if (size > this.#limits.max_bytes) throw overLimit('max_bytes', this.#limits, entry);
  }

  /** One more file, directory or link is made. */
  addEntry(entry: string): void {
    this.#entries++;
    if (this.#entries > this.#limits.max_entries) throw overLimit('max_entries', this.#limits, entry);
  }
}
