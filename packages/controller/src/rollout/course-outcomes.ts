import { DeployError } from '@sampan/shared/errors.ts';
import type { Outcome, Outcomes } from '../outcomes.ts';
import type { Course, HostCourse } from './course.ts';
import { errorOf } from './event-error.ts';

/** What each host of a rollout came to, in the plan's order. One that has no end has failed: that is a fault of ours. */
export function courseOutcomes({ hosts }: Course): Outcomes<unknown> {
  return new Map([...hosts].map(([host, course]) => [host, outcomeOf(course)]));
}

function outcomeOf({ state, error }: HostCourse): Outcome<unknown> {
  if (state === 'succeeded') return { ok: true, value: undefined };
  return { ok: false, error: error ? errorOf(error) : new DeployError('INTERNAL', {}) };
}
