import type { Outcomes } from '../outcomes.ts';
import type { UnansweredRollout } from '../store/rollout-records.ts';
import type { TakenUp } from './rollout.ts';
import type { RolloutPlan } from './rollout-plan.ts';
import { outcomesOf, planOf } from './stored-rollout.ts';

/** How long an outcome is kept for the caller who was cut off by the death of a controller. */
export const OWED_MS = 10 * 60_000;

/** What a rollout is to the process that finds it. */
export type LeftBehind =
  /** To be carried on, where it had come to. */
  | { kind: 'running'; plan: RolloutPlan; takenUp: TakenUp }
  /** It had ended, and nobody was told: the same request gets this for `keptMs`. */
  | { kind: 'unheard'; outcomes: Outcomes<unknown>; keptMs: number }
  /** Nobody asks for it any more. */
  | { kind: 'past' }
  /** What was written down cannot be read. */
  | { kind: 'unreadable'; cause: unknown };

/**
 * Decides about a rollout that the process before this one left behind. One that nothing was heard of for longer than a host
 * may take is closed instead of carried on: by now somebody may have deployed something else.
 */
export function judgeLeftBehind(left: UnansweredRollout, nowMs: number, hostTimeoutMs: number): LeftBehind {
  try {
    const plan = planOf(left);
    const outcomes = outcomesOf(plan, left.outcomes);
    if (left.endedAtMs !== undefined) {
      const keptMs = Math.min(OWED_MS, left.endedAtMs + OWED_MS - nowMs);
      return keptMs > 0 ? { kind: 'unheard', outcomes, keptMs } : { kind: 'past' };
    }
    const heardAtMs = Math.max(left.startedAtMs, ...left.outcomes.map(({ endedAtMs }) => endedAtMs));
    return { kind: 'running', plan, takenUp: { outcomes, mayBegin: nowMs - heardAtMs < hostTimeoutMs } };
  } catch (cause) {
    return { kind: 'unreadable', cause };
  }
}
