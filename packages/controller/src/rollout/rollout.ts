import type { Outcome } from '../outcomes.ts';
import type { Fence, LockHolder } from '../store/link-locks.ts';
import type { Stop } from './host-run.ts';
import type { RolloutLog } from './rollout-log.ts';
import type { Host, RolloutPlan } from './rollout-plan.ts';

/** One deploy or rollback over many hosts, as it is carried out. Its id is the operation id on every host. */
export interface Rollout {
  operationId: string;
  plan: RolloutPlan;
  /** What its orders are given under; null while its links could not be locked. */
  fence: Fence | null;
  /** By agent's address: who has the links that it was not given. */
  held: ReadonlyMap<string, LockHolder>;
  log: RolloutLog;
  stop: RolloutStop;
  /** Set when it goes on after a restart of the controller. */
  takenUp: TakenUp | undefined;
  /** Called for each host as it ends: its link is free. */
  hostEnded(host: Host, outcome: Outcome<unknown>): void;
}

export interface TakenUp {
  /** False when it is too old: hosts that were not told to activate are cancelled. */
  mayBegin: boolean;
  /** The number of the fence that its orders had before; undefined for those of versions that kept none. */
  fence: number | undefined;
}

export interface RolloutStop extends Stop {
  /** It is to be left where it is, for the next controller; nothing more is written down. */
  suspended: AbortSignal;
}
