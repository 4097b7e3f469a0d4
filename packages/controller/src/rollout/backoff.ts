const BACKOFF = { firstMs: 100, factor: 1.7, mostMs: 5_000 };

/** Milliseconds to wait before an agent is asked once more; `attempt` counts from 0. No two are quite the same. */
export function backoffMs(attempt: number): number {
  return Math.min(BACKOFF.mostMs, BACKOFF.firstMs * BACKOFF.factor ** attempt) * (0.8 + 0.4 * Math.random());
}
