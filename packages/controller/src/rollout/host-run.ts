import type { Progress__Output } from '@sampan/shared/gen/sampan/agent/v1/Progress.ts';
import type { Logger } from '@sampan/shared/logger.ts';
import type { AgentPool } from '../agents/agent-pool.ts';
import type { Limits } from '../fleet.ts';
import type { Slots } from '../slots.ts';
import type { Fence } from '../store/link-locks.ts';
import type { Host, RolloutPlan } from './rollout-plan.ts';

/** How a rollout is told to stop. Both carry an OPERATION_CANCELLED as their reason. */
export interface Stop {
  /** Nothing new is begun, and what has not flipped yet is cancelled at its agent. */
  cancelled: AbortSignal;
  /** Nothing is waited for any longer. */
  abandoned: AbortSignal;
}

/** One host's part of a rollout, from its first call to its outcome. */
export interface HostRun {
  readonly plan: RolloutPlan;
  readonly host: Host;
  readonly operationId: string;
  readonly agents: AgentPool;
  readonly log: Logger;
  readonly stop: Stop;
  readonly limits: Limits;
  readonly holdMs: number;
  /** What its orders are given under; null for those of versions that had none. */
  readonly fence: Fence | null;
  /** Bounds the activations that restart. */
  readonly restartSlots: Slots;
  /** When the host must be done, on the clock of `performance.now()`. While it waits for others, no time passes for it. */
  deadlineAtMs: number;
  /** Whether the agent may know this operation. */
  contacted: boolean;
  /** Whether the agent may have been told to flip. From here on only the agent knows what is current. */
  activateSent: boolean;
  /** When the agent was last heard of, or a connection to it was lost. */
  heardAtMs: number;
  /** The last step that it told of, such as `flip`. */
  lastStep: string;
  /** Called with what the agent tells of its work. */
  onProgress(progress: Progress__Output): void;
}

export function remainingMs(run: HostRun): number {
  return Math.max(0, Math.round(run.deadlineAtMs - performance.now()));
}
