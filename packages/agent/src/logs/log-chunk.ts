/** A piece of a log file. Its text holds whole characters: UTF-8 is never cut in half between chunks. */
export interface LogChunk {
  text: string;
  /** On the first chunk: older lines that were asked for were left out because of `maxBytes`. */
  truncated: boolean;
  /** The file was replaced or cut before this chunk: it begins a new file. */
  rotated: boolean;
}

/** Bytes of the file that one chunk carries at the most. As text they take up to three times as much: invalid bytes become U+FFFD. */
export const MAX_CHUNK_BYTES = 64 * 1024;

/** What `max_bytes: 0` of a request stands for. */
export const DEFAULT_MAX_BYTES = 1024 * 1024;
