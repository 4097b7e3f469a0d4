import type { Logger } from '@sampan/shared/logger.ts';

/** A clock that is kept by NTP runs a little faster or slower, which the steady one does as well; a leap second is no news. */
const TOLERANCE_MS = 5000;

/**
 * Notices that the clock of this host was set, by the one that nobody sets. Nothing is ordered or timed by the clock; what is
 * written down with it for people is wrong from then on, or was before, so it is said.
 */
export class ClockWatch {
  readonly #log: Logger;
  #offsetMs = offsetMs();
  #detail = 'steady since the start';

  /** `writtenMs`: the latest time that an earlier life of this agent wrote down, where there is one. */
  constructor(log: Logger, writtenMs: number | undefined) {
    this.#log = log;
    if (writtenMs !== undefined && writtenMs - Date.now() > TOLERANCE_MS) this.#tell(Date.now() - writtenMs);
  }

  /** Looks again; what is to be said of the clock. */
  look(): string {
    const jumpedMs = offsetMs() - this.#offsetMs;
    if (Math.abs(jumpedMs) > TOLERANCE_MS) {
      this.#offsetMs += jumpedMs;
      this.#tell(jumpedMs);
    }
    return this.#detail;
  }

  #tell(jumpedMs: number): void {
    const seconds = Math.round(Math.abs(jumpedMs) / 1000);
    const direction = jumpedMs < 0 ? 'back' : 'ahead';
    this.#detail = `went ${direction} by ${seconds} s, noticed at ${new Date().toISOString()}`;
    this.#log.warn(
      { direction, seconds },
      'the clock was set; the order of releases and operations does not depend on it',
    );
  }
}

function offsetMs(): number {
  return Date.now() - performance.now();
}
