const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 10_000;
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * Milliseconds before the attempt that follows attempt number `attempt`: what the origin asked for, up to a minute; else
 * a quarter of a second and twice as much each time, up to 10 s, less a random part so that many hosts do not come back at once.
 */
export function retryPause(attempt: number, retryAfterMs: number | undefined): number {
  if (retryAfterMs !== undefined) return Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), MAX_PAUSE_MS);
  return pause * (1 - Math.random() / 2);
}

/** A Retry-After header in milliseconds from now: it says seconds or a date. Undefined for anything else. */
export function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds * 1000);
}
