import { wireErrorSchema } from '@sampan/shared/wire-error-schema.ts';
import { z } from 'zod';
import type { Outcomes } from '../outcomes.ts';
import type { StoredEvent } from '../store/rollout-event-records.ts';
import {
  applyEvent,
  type Course,
  type CourseEvent,
  hostTransitions,
  isEnd,
  newCourse,
  rolloutTransitions,
} from './course.ts';
import { eventError, failureState } from './event-error.ts';

const error = wireErrorSchema.extend({ detail: z.string() });

const change = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('rollout'),
    state: z.enum(keysOf(rolloutTransitions)),
    wave: z.number().optional(),
    waves: z.number().optional(),
    reason: z.string().optional(),
  }),
  z.object({
    kind: z.literal('host'),
    host: z.string(),
    state: z.enum(keysOf(hostTransitions)),
    error: error.optional(),
    version: z.string().optional(),
    previous_version: z.string().optional(),
    previous_release: z.string().optional(),
  }),
  z.object({ kind: z.literal('request'), request: z.enum(['cancel', 'pause', 'resume']), by: z.string() }),
]);

/** What was written down of a rollout, beside its plan. */
export interface Remembered {
  hosts: readonly string[];
  startedAtMs: number;
  changes: readonly StoredEvent[];
  /** Of hosts that have ended: what was told of them stands, whatever else is known. */
  outcomes: Outcomes<unknown>;
}

/**
 * Where a rollout had come to, from its events. What cannot be read is left out: the agents are asked all the same.
 */
export function restoreCourse({ hosts, startedAtMs, changes, outcomes }: Remembered): Course {
  const course = newCourse(hosts, startedAtMs);
  for (const { seq: _seq, at, ...event } of changes) {
    const parsed = change.safeParse(event);
    if (parsed.success) applyEvent(course, parsed.data as CourseEvent, Date.parse(at));
  }
  for (const [name, outcome] of outcomes) {
    const host = course.hosts.get(name);
    if (!host || isEnd(host.state)) continue;
    const ended = outcome.ok
      ? { ...host, state: 'succeeded' as const }
      : { ...host, state: failureState(outcome.error), error: eventError(outcome.error) };
    course.hosts.set(name, ended);
  }
  return course;
}

function keysOf<T extends object>(table: T): [keyof T & string, ...(keyof T & string)[]] {
  const [first, ...rest] = Object.keys(table) as (keyof T & string)[];
  if (first === undefined) throw new Error('an empty table');
  return [first, ...rest];
}
