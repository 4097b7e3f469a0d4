import { findTail, type TailLimits } from './find-tail.ts';
import { followLog } from './follow-log.ts';
import type { LogChunk } from './log-chunk.ts';
import { LogReader } from './log-reader.ts';
import { type OpenLog, openLog } from './open-log.ts';

/** `lines` and `maxBytes` bound what is sent of the existing log; `follow` goes on with what is appended, until aborted. */
export interface ReadLogOptions extends TailLimits {
  follow: boolean;
}

/**
 * The last lines of a log file, in chunks of at most `MAX_CHUNK_BYTES` of it: at least one, even if it is empty.
 * With `follow` the same open file is read on, so nothing is lost between the two.
 * Every descriptor is closed when the generator ends, by itself, by `return()` or by an error.
 * @throws LOG_NOT_FOUND, LOG_REFUSED (not a regular file), DISK_ERROR, or what `signal` was aborted with.
 */
export async function* readLog(path: string, options: ReadLogOptions, signal: AbortSignal): AsyncGenerator<LogChunk> {
  signal.throwIfAborted();
  const log = await openLog(path);
  try {
    const reader = yield* tail(log, options, signal);
    if (options.follow) yield* followLog(path, reader, signal);
  } finally {
    // Following has closed it already; once more does nothing.
    await log.handle.close();
  }
}

async function* tail(log: OpenLog, options: ReadLogOptions, signal: AbortSignal): AsyncGenerator<LogChunk, LogReader> {
  const { start, end, truncated } = await findTail(log.handle, options, signal);
  const reader = await LogReader.at(log, start);
  let first = true;
  for await (const chunk of reader.chunks(end - start, signal)) {
    yield { ...chunk, truncated: first && truncated };
    first = false;
  }
  if (first) yield { text: '', truncated, rotated: false };
  // Half a character ends the file. Where the log is followed, the other half is waited for.
  if (!options.follow) yield* reader.flush();
  return reader;
}
