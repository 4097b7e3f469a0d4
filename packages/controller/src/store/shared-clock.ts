import { randomUUIDv7 } from 'node:crypto';
import type { Logger } from '@sampan/shared/logger.ts';

/** What clocks may differ by that are kept right: what is compared across controllers is minutes. */
const SAME_MS = 1_000;

/**
 * The time that all controllers of a database have in common. What one has stamped others compare with now, and the clocks of their
 * machines may differ: one that is a day ahead would take a rollout that it takes over for one of yesterday, and close it. So whoever
 * finds that his clock differs from the database's by more than a second goes by that one.
 */
export class SharedClock {
  readonly #log: Logger;
  #aheadMs = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Milliseconds since 1970. */
  nowMs(): number {
    return Date.now() - this.#aheadMs;
  }

  /** As the tables have times. */
  now(): string {
    return new Date(this.nowMs()).toISOString();
  }

  /** A UUIDv7, by which what different controllers made is in the order in which it was made. */
  newId(): string {
    const id = randomUUIDv7();
    if (this.#aheadMs === 0) return id;
    const time = Math.max(0, this.nowMs()).toString(16).padStart(12, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}${id.slice(13)}`;
  }

  /** What the database's clock showed at some time between two looks at this machine's. */
  compare(databaseMs: number, { fromMs, toMs }: { fromMs: number; toMs: number }): void {
    const [least, most] = [fromMs - databaseMs, toMs - databaseMs];
    const mayBe = (aheadMs: number) => least - SAME_MS <= aheadMs && aheadMs <= most + SAME_MS;
    // Kept while it may be right: an answer that was slow tells little, and time does not go to and fro.
    if (mayBe(this.#aheadMs)) return;
    const aheadMs = mayBe(0) ? 0 : Math.round((least + most) / 2);
    this.#aheadMs = aheadMs;
    if (aheadMs === 0) this.#log.info("this controller's clock agrees with the database's again");
    else
      this.#log.warn(
        { aheadSeconds: aheadMs / 1000 },
        "this controller's clock is not the database's, which it goes by for rollouts; its certificates and tokens go by its own",
      );
  }
}
