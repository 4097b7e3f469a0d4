import type { ErrorParams } from '@sampan/shared/errors.ts';
import type { Course } from './course.ts';
import type { Strategy } from './strategy.ts';

/** Why a rollout does not go on: the facts that its hosts are told. */
export type StopCause = ErrorParams['ROLLOUT_STOPPED'];

/** Whether the rollout goes on; or ends with what has flipped where it is; or takes that back. */
export type Verdict = { kind: 'go_on' } | { kind: 'stop' | 'go_back'; cause: StopCause };

/** What the rules of a rollout say about what has happened so far. */
export function judge(course: Course, { maxFailures, atomic }: Strategy): Verdict {
  const kind = atomic ? 'go_back' : 'stop';
  const { hosts } = course;
  const failed = hosts.count('failed', 'unknown');
  const allowed = maxFailures ?? hosts.size;
  if (course.isCancelled) return { kind, cause: { cause: 'cancelled', failed, allowed } };
  const hasFlipped = hosts.count('activating', 'active', 'succeeded') > 0;
  // All or none: before anything has flipped, one host that could not stage is enough.
  if (atomic && !hasFlipped && failed > 0) return { kind, cause: { cause: 'not_staged', failed, allowed: 0 } };
  if (failed <= allowed) return { kind: 'go_on' };
  return { kind, cause: { cause: 'failures', failed, allowed } };
}
