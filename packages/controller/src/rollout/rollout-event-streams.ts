import type { StoredEvent } from '../store/rollout-event-records.ts';
import type { RolloutRecords } from '../store/rollout-records.ts';
import type { Rollouts } from './rollouts.ts';
import type { RunningRollout } from './running-rollout.ts';

/** The events of one rollout, in the order of their numbers. */
export interface RolloutEvents {
  /** Those after `after`, at most `limit`; none when there are none yet. */
  read(after: number, limit: number): Promise<readonly StoredEvent[]>;
  /** Resolves when there may be more after number `after`, or when nothing will follow. @throws what `signal` was aborted with. */
  changed(after: number, signal: AbortSignal): Promise<void>;
  /** Whether nothing will follow what can be read. */
  hasEnded(): boolean;
}

/** Where the events of rollouts are read: from the database, in which alone they are; those that run tell when there are more. */
export class RolloutEventStreams {
  readonly #rollouts: Rollouts;
  readonly #records: RolloutRecords;

  constructor(rollouts: Rollouts, records: RolloutRecords) {
    this.#rollouts = rollouts;
    this.#records = records;
  }

  of(id: string): RolloutEvents {
    const { events } = this.#records;
    const running = this.#rollouts.running().get(id);
    return {
      read: (after, limit) => events.read(id, { after, limit }),
      changed: (after, signal) => (running ? changed(running, after, signal) : Promise.resolve()),
      hasEnded: () => !this.#rollouts.running().has(id),
    };
  }
}

async function changed({ inProgress, outcomes }: RunningRollout, after: number, signal: AbortSignal): Promise<void> {
  const waiting = new AbortController();
  const ended = outcomes.then(
    () => undefined,
    () => undefined,
  );
  try {
    await Promise.race([inProgress?.log.writtenAfter(after, AbortSignal.any([signal, waiting.signal])), ended]);
  } finally {
    waiting.abort();
  }
}
