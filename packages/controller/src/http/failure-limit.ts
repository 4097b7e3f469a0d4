const WINDOW_MS = 60_000;
const MOST_KEYS = 10_000;

/** How often a client has failed of late: at most `most` times a minute it is told why. Bounded in memory. */
export class FailureLimit {
  readonly #most: number;
  /** Oldest first: each entry is set anew when its window begins. */
  readonly #failures = new Map<string, { count: number; untilMs: number }>();

  constructor(most = 20) {
    this.#most = most;
  }

  /** Counts a failure. Returns how many milliseconds the client is to wait once it has failed too often; else undefined. */
  failed(key: string, nowMs: number = performance.now()): number | undefined {
    const known = this.#failures.get(key);
    if (known && known.untilMs > nowMs) {
      known.count += 1;
      return known.count > this.#most ? known.untilMs - nowMs : undefined;
    }
    this.#failures.delete(key);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size >= MOST_KEYS && oldest !== undefined) this.#failures.delete(oldest);
    this.#failures.set(key, { count: 1, untilMs: nowMs + WINDOW_MS });
    return undefined;
  }
}
