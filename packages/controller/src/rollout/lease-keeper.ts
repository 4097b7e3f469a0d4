import type { Logger } from '@sampan/shared/logger.ts';
import { LEASE_MS } from '../store/link-locks.ts';
import type { RolloutRecords } from '../store/rollout-records.ts';

/** Renews the locks of what runs, three times in a lease. */
export class LeaseKeeper {
  readonly #records: RolloutRecords;
  readonly #log: Logger;
  readonly #kept = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor(records: RolloutRecords, log: Logger) {
    this.#records = records;
    this.#log = log;
    this.#timer = setInterval(() => void this.#renew(), LEASE_MS / 3).unref();
  }

  keep(operationId: string): void {
    this.#kept.add(operationId);
  }

  drop(operationId: string): void {
    this.#kept.delete(operationId);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What is not renewed in time may pass to somebody else: then the agents' fences decide. */
  async #renew(): Promise<void> {
    try {
      await this.#records.renewLocks([...this.#kept]);
    } catch (err) {
      this.#log.error({ err }, 'the locks of rollouts could not be renewed');
    }
  }
}
