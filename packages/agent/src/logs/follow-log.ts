import { setTimeout as delay } from 'node:timers/promises';
import type { LogChunk } from './log-chunk.ts';
import { LogGenerations } from './log-generations.ts';
import { LogReader } from './log-reader.ts';

/** A log that grows all the time is read in portions, so that following it costs the host little. */
const BATCH_MS = 50;

/**
 * What is appended to the log at `path` from where `reader` stands, across rotation by rename, by `copytruncate`, and
 * removal with re-creation: the old file is read to its end before the new one begins, and nothing is sent twice.
 * Takes over the reader's handle and closes it. Ends only by an error.
 * @throws what `signal` was aborted with; LOG_REFUSED when something other than a file takes the log's place.
 */
export async function* followLog(
  path: string,
  reader: LogReader,
  signal: AbortSignal,
): AsyncGenerator<LogChunk, never> {
  const generations = new LogGenerations(path, reader.log);
  let current = reader;
  try {
    for (;;) {
      yield* current.chunks(Number.POSITIVE_INFINITY, signal);
      if (await generations.isSuperseded()) {
        // Once more: it may have grown between the last read and the first bytes of its successor.
        yield* current.chunks(Number.POSITIVE_INFINITY, signal);
        yield* current.flush();
        current = LogReader.ofSuccessor(await generations.advance());
      } else {
        await delay(BATCH_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
        await generations.changed(signal);
      }
    }
  } finally {
    await generations.close();
  }
}
