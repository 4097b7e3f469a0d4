import { garbageCollector } from './garbage-collector.ts';

const COLLECT_EVERY_BYTES = 4 * 1024 * 1024;

/**
 * Gives the memory of passing chunks back soon. To V8 a buffer is as large as its handle, so tens of MiB of dead ones
 * pile up before it looks, and the process never shrinks again: 135 MB instead of 102 after three downloads.
 * Collecting the young ones takes 0.3 ms.
 */
export class ChunkGarbage {
  #bytes = 0;

  /** Counts bytes whose buffers nobody holds any more. */
  passed(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < COLLECT_EVERY_BYTES) return;
    this.#bytes = 0;
    garbageCollector()({ type: 'minor' });
  }
}
