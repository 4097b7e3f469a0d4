import {
  addEvent,
  type CourseEvent,
  type HostState,
  hostTransitions,
  isEnd,
  newCourse,
  type RolloutState,
  rolloutTransitions,
} from '@sampan/controller/rollout/course.ts';
import { ALL_AT_ONCE } from '@sampan/controller/rollout/strategy.ts';
import { judge } from '@sampan/controller/rollout/verdict.ts';
import { describe, expect, it } from 'vitest';

const rolloutStates = Object.keys(rolloutTransitions) as RolloutState[];
const hostStates = Object.keys(hostTransitions) as HostState[];

describe('the tables of states', () => {
  it.each([rolloutTransitions, hostTransitions])('lead from the first state to an end from everywhere', (table) => {
    const next = (state: string): readonly string[] => (table as Record<string, readonly string[]>)[state] ?? [];
    const [first = ''] = Object.keys(table);
    const reached = new Set([first]);
    for (const state of reached) for (const one of next(state)) reached.add(one);
    expect([...reached].sort()).toEqual(Object.keys(table).sort());
    const leadsToEnd = (state: string, seen = new Set<string>()): boolean =>
      next(state).length === 0 ||
      next(state).some((one) => !seen.has(one) && leadsToEnd(one, new Set([...seen, state])));
    expect(Object.keys(table).filter((state) => !leadsToEnd(state))).toEqual([]);
  });

  it('name the same ends as isEnd', () => {
    expect(rolloutStates.filter(isEnd)).toEqual(['succeeded', 'failed', 'cancelled']);
    expect(hostStates.filter(isEnd)).toEqual(['succeeded', 'failed', 'unknown', 'went_back', 'skipped']);
  });

  it('are all that is allowed: every other change is refused', () => {
    for (const from of hostStates) {
      for (const to of hostStates) {
        const course = newCourse(['a'], 0);
        course.hosts.set('a', { ...course.hosts.get('a')!, state: from });
        const change = () => addEvent(course, { kind: 'host', host: 'a', state: to }, 0);
        if ((hostTransitions[from] as readonly string[]).includes(to)) change();
        else expect(change).toThrow(`${from} cannot become ${to}`);
      }
    }
    for (const from of rolloutStates) {
      for (const to of rolloutStates) {
        const change = () => addEvent({ ...newCourse([], 0), state: from }, { kind: 'rollout', state: to }, 0);
        if ((rolloutTransitions[from] as readonly string[]).includes(to)) change();
        else expect(change).toThrow(`${from} cannot become ${to}`);
      }
    }
  });
});

describe('the verdict', () => {
  /** A course in which hosts are where these say. */
  const courseOf = (...states: HostState[]) => {
    const course = newCourse([], 0);
    for (const [n, state] of states.entries()) {
      course.hosts.set(`h${n}`, { state, error: undefined, version: '', previousVersion: '', previousRelease: '' });
    }
    return course;
  };
  const atomic = { ...ALL_AT_ONCE, atomic: true, maxFailures: 0 };

  it('goes on whatever fails, where no limit is given', () => {
    expect(judge(courseOf('failed', 'unknown', 'staged'), ALL_AT_ONCE)).toEqual({ kind: 'go_on' });
  });

  it('stops beyond the failures that may be, and counts what nobody knows as one', () => {
    const strategy = { ...ALL_AT_ONCE, maxFailures: 1 };
    expect(judge(courseOf('failed', 'active'), strategy)).toEqual({ kind: 'go_on' });
    expect(judge(courseOf('failed', 'unknown', 'active'), strategy)).toEqual({
      kind: 'stop',
      cause: { cause: 'failures', failed: 2, allowed: 1 },
    });
  });

  it('takes back where it is all or none, and flips nothing unless all have staged', () => {
    expect(judge(courseOf('staged', 'failed'), { ...atomic, maxFailures: 5 })).toEqual({
      kind: 'go_back',
      cause: { cause: 'not_staged', failed: 1, allowed: 0 },
    });
    expect(judge(courseOf('active', 'failed'), { ...atomic, maxFailures: 5 })).toEqual({ kind: 'go_on' });
    expect(judge(courseOf('active', 'failed'), atomic)).toMatchObject({ kind: 'go_back' });
  });

  it('ends what somebody has cancelled', () => {
    const course = courseOf('active', 'staged');
    addEvent(course, { kind: 'request', request: 'cancel', by: 'ops' } satisfies CourseEvent, 0);
    expect(judge(course, ALL_AT_ONCE)).toMatchObject({ kind: 'stop', cause: { cause: 'cancelled' } });
    expect(judge(course, atomic)).toMatchObject({ kind: 'go_back', cause: { cause: 'cancelled' } });
  });
});
