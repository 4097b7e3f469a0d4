import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@sampan/shared/logger.ts';
import type { RolloutRecords } from '../store/rollout-records.ts';

/** How soon after its controller is known to be dead a rollout goes on, at the latest. */
const LOOK_EVERY_MS = 500;

/** What is to be looked after, beside what callers ask for. */
export interface Care {
  /** Carries a rollout on that is this controller's from now on. */
  carryOn(operationId: string): Promise<void>;
  /** Sees to what was asked of other controllers about rollouts that this one carries out. @throws what `signal` was aborted with. */
  seeToRequests(signal: AbortSignal): Promise<void>;
}

/** Looks, as long as this controller runs, for rollouts whose controller has died, and for what others were asked about our own. */
export class Caretaker {
  readonly #records: RolloutRecords;
  readonly #log: Logger;
  readonly #care: Care;
  readonly #closing = new AbortController();
  /** Taken over, and to be carried on. */
  readonly #taken = new Set<string>();
  #takesOver = true;
  #looking = Promise.resolve();
  #isFailing = false;

  constructor(records: RolloutRecords, log: Logger, care: Care) {
    this.#records = records;
    this.#log = log;
    this.#care = care;
  }

  start(): void {
    this.#looking = this.#lookOnAndOn();
  }

  /** Takes nothing over any more; requests are still seen to. */
  takeNoMore(): void {
    this.#takesOver = false;
    for (const operationId of this.#taken) this.#records.left(operationId);
    this.#taken.clear();
  }

  async stop(): Promise<void> {
    this.#closing.abort();
    await this.#looking;
  }

  async #lookOnAndOn(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#look(signal);
        this.#isFailing = false;
      } catch (err) {
        if (!this.#isFailing && !signal.aborted) {
          this.#log.error({ err }, 'cannot look for rollouts whose controller has died');
        }
        this.#isFailing = true;
      }
      await delay(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    await this.#care.seeToRequests(signal);
    for (const operationId of this.#takesOver ? await this.#records.ownership.orphans() : []) {
      if (!this.#takesOver) return;
      if (await this.#records.ownership.take(operationId)) this.#taken.add(operationId);
    }
    for (const operationId of this.#taken) await this.#carryOn(operationId);
  }

  /** What cannot be carried on yet keeps nothing else from it. */
  async #carryOn(operationId: string): Promise<void> {
    try {
      await this.#care.carryOn(operationId);
      this.#taken.delete(operationId);
    } catch (err) {
      this.#log.error({ operationId, err }, 'a rollout that was taken over cannot be carried on yet');
    }
  }
}
