/** What a request may be at the most. */
export const MAX_BODY_BYTES = 1024 * 1024;
export const MAX_HOSTS = 10_000;
/** A query string with that many hosts has to fit. */
export const MAX_HEADER_BYTES = 512 * 1024;
/** From the first byte of a request to its last. */
export const REQUEST_TIMEOUT_MS = 30_000;
