import type { Aftermath } from '@sampan/shared/errors.ts';
import { HostCourses } from './host-courses.ts';

/**
 * Where a rollout is. `queued` waits for links that others hold; `paused` for a person, or for time to pass.
 * The last three are its end: every host succeeded; not every host did; somebody cancelled it.
 */
export type RolloutState = keyof typeof rolloutTransitions;

/** Where one host of it is. `active`: flipped and proven, but it may yet have to go back with the others. */
export type HostState = keyof typeof hostTransitions;

/** Every change that may happen to a rollout. `activating` and `baking` come once a wave. */
export const rolloutTransitions = {
  queued: ['staging', 'failed', 'cancelled'],
  staging: ['activating', 'going_back', 'succeeded', 'failed', 'cancelled'],
  activating: ['activating', 'baking', 'paused', 'going_back', 'succeeded', 'failed', 'cancelled'],
  baking: ['baking', 'activating', 'paused', 'going_back', 'succeeded', 'failed', 'cancelled'],
  paused: ['activating', 'going_back', 'succeeded', 'failed', 'cancelled'],
  going_back: ['failed', 'cancelled'],
  succeeded: [],
  failed: [],
  cancelled: [],
} as const;

/** Every change that may happen to a host. The last five are its end. */
export const hostTransitions = {
  waiting: ['staging', 'staged', 'activating', 'failed', 'unknown', 'skipped'],
  staging: ['staged', 'failed', 'unknown', 'skipped'],
  staged: ['activating', 'failed', 'unknown', 'skipped'],
  activating: ['active', 'failed', 'unknown', 'skipped'],
  active: ['succeeded', 'going_back', 'failed', 'unknown'],
  going_back: ['went_back', 'failed', 'unknown'],
  succeeded: [],
  failed: [],
  unknown: [],
  went_back: [],
  skipped: [],
} as const;

/** Why a host is where it is, as it is written down: code and params, the English text, and what the host looks like now. */
export interface EventError {
  code: string;
  detail: string;
  params: Record<string, unknown>;
  aftermath?: Aftermath | undefined;
}

/** What happens in a rollout, as callers get to see it. */
export type CourseEvent =
  | { kind: 'rollout'; state: RolloutState; wave?: number; waves?: number; reason?: string }
  | {
      kind: 'host';
      host: string;
      state: HostState;
      error?: EventError;
      version?: string;
      previous_version?: string;
      previous_release?: string;
    }
  | { kind: 'request'; request: RolloutRequest; by: string }
  | {
      kind: 'progress';
      host: string;
      step: string;
      step_state: string;
      bytes: number;
      total_bytes: number;
      entries: number;
      elapsed_ms: number;
    };

/** What a person may ask of a rollout that runs. */
export type RolloutRequest = 'cancel' | 'pause' | 'resume';

/** One host's part so far. */
export interface HostCourse {
  state: HostState;
  error: EventError | undefined;
  /** What is current since it was activated, and what was before; empty: not known, or nothing. */
  version: string;
  previousVersion: string;
  previousRelease: string;
}

/** All that has happened to a rollout, added up. */
export interface Course {
  state: RolloutState;
  /** Milliseconds since the epoch. */
  stateSinceMs: number;
  /** Counts from 0: the wave that is activated, bakes, or was done before the pause. */
  wave: number;
  isCancelled: boolean;
  /** Somebody wants it to pause before the next wave. */
  isToPause: boolean;
  hosts: HostCourses;
}

export function newCourse(names: readonly string[], nowMs: number): Course {
  const hosts = new HostCourses();
  for (const name of names) hosts.set(name, waiting());
  return {
    state: 'queued',
    stateSinceMs: nowMs,
    wave: 0,
    isCancelled: false,
    isToPause: false,
    hosts,
  };
}

/**
 * Adds one event.
 * @throws Error for a change that the tables do not have: that is a fault of ours.
 */
export function addEvent(course: Course, event: CourseEvent, atMs: number): void {
  if (event.kind === 'rollout') assertAllowed(rolloutTransitions, course.state, event.state);
  if (event.kind === 'host') assertAllowed(hostTransitions, hostOf(course, event.host).state, event.state);
  applyEvent(course, event, atMs);
}

/** The same for what is known to have happened, though what came before it may not be known. */
export function applyEvent(course: Course, event: CourseEvent, atMs: number): void {
  switch (event.kind) {
    case 'rollout':
      course.state = event.state;
      course.stateSinceMs = atMs;
      course.wave = event.wave ?? course.wave;
      return;
    case 'host': {
      const host = hostOf(course, event.host);
      course.hosts.set(event.host, {
        state: event.state,
        error: event.error ?? host.error,
        version: event.version ?? host.version,
        previousVersion: event.previous_version ?? host.previousVersion,
        previousRelease: event.previous_release ?? host.previousRelease,
      });
      return;
    }
    case 'request':
      if (event.request === 'cancel') course.isCancelled = true;
      else course.isToPause = event.request === 'pause';
      return;
    case 'progress':
  }
}

function hostOf(course: Course, host: string): HostCourse {
  return course.hosts.get(host) ?? waiting();
}

const ENDS = new Set(
  [rolloutTransitions, hostTransitions].flatMap((table) =>
    Object.entries(table).flatMap(([state, next]) => (next.length === 0 ? [state] : [])),
  ),
);

/** Whether nothing follows this state. */
export function isEnd(state: RolloutState | HostState): boolean {
  return ENDS.has(state);
}

function assertAllowed(table: Record<string, readonly string[]>, from: string, to: string): void {
  if (!table[from]?.includes(to)) throw new Error(`${from} cannot become ${to}`);
}

function waiting(): HostCourse {
  return { state: 'waiting', error: undefined, version: '', previousVersion: '', previousRelease: '' };
}
