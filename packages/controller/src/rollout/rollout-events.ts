import type { Follower } from '../store/changes.ts';
import type { StoredEvent } from '../store/rollout-event-records.ts';
import type { RolloutRecords } from '../store/rollout-records.ts';

/** The events of one rollout, in the order of their numbers. */
export interface RolloutEvents {
  /** Those after `after`, at most `limit`; none when there are none yet. */
  read(after: number, limit: number): Promise<readonly StoredEvent[]>;
  /** Tells when there may be more to read. */
  follow(): Follower;
  /** Whether nothing will follow what can be read. */
  hasEnded(): Promise<boolean>;
}

/** The events of rollouts, whichever controller carries them out: all read the database, in which alone they are. */
export function rolloutEventsOf(records: RolloutRecords, id: string): RolloutEvents {
  return {
    read: (after, limit) => records.events.read(id, { after, limit }),
    follow: () => records.changes.follow(id),
    hasEnded: () => records.hasEnded(id),
  };
}
