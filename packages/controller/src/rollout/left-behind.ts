import type { RecordedRollout } from '../store/recorded-rollout.ts';
import type { StoredEvent } from '../store/rollout-event-records.ts';
import type { Course } from './course.ts';
import { restoreCourse } from './restore-course.ts';
import type { TakenUp } from './rollout.ts';
import type { RolloutPlan } from './rollout-plan.ts';
import { outcomesOf, planOf } from './stored-rollout.ts';

/** How long an outcome is kept for the caller who was cut off by the death of a controller. */
const OWED_MS = 10 * 60_000;

/** What has ended since then (ISO 8601), and was told to nobody, is kept for who asks again. */
export function owedSince(nowMs: number): string {
  return new Date(nowMs - OWED_MS).toISOString();
}

/** What a rollout without an end is to the controller that takes it over. */
export type LeftBehind =
  /** To be carried on, where it had come to. */
  | { kind: 'running'; plan: RolloutPlan; course: Course; takenUp: TakenUp }
  /** What was written down cannot be read. */
  | { kind: 'unreadable'; cause: unknown };

/** All that was written down of it, and the clock. */
export interface Found {
  left: RecordedRollout;
  changes: readonly StoredEvent[];
  lastEventAt: string | undefined;
  nowMs: number;
  hostTimeoutMs: number;
}

/**
 * Decides about a rollout whose controller has died. One that nothing was heard of for longer than a host
 * may take is closed instead of carried on: by now somebody may have deployed something else. One that waits for a person, or
 * for its turn, waits on.
 */
export function judgeLeftBehind({ left, changes, lastEventAt, nowMs, hostTimeoutMs }: Found): LeftBehind {
  try {
    const plan = planOf(left);
    const outcomes = outcomesOf(plan, left.outcomes);
    const hosts = plan.hosts.map(({ name }) => name);
    const course = restoreCourse({ hosts, startedAtMs: left.startedAtMs, changes, outcomes });
    const lastEventMs = lastEventAt === undefined ? 0 : Date.parse(lastEventAt);
    const heardAtMs = Math.max(left.startedAtMs, lastEventMs, ...left.outcomes.map(({ endedAtMs }) => endedAtMs));
    const waits = course.state === 'paused' || (course.state === 'queued' && plan.queue);
    const mayBegin = waits || nowMs - heardAtMs < hostTimeoutMs + plan.strategy.bakeMs;
    return { kind: 'running', plan, course, takenUp: { mayBegin, fence: left.fence } };
  } catch (cause) {
    return { kind: 'unreadable', cause };
  }
}
