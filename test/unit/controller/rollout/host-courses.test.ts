import { applyEvent, type HostState, hostTransitions, newCourse } from '@sampan/controller/rollout/course.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const states = Object.keys(hostTransitions) as HostState[];

it('counts what looking at every host would', () => {
  const event = fc.record({ host: fc.constantFrom('a', 'b', 'c'), state: fc.constantFrom(...states) });
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const course = newCourse(['a', 'b', 'c'], 0);
      for (const { host, state } of events) applyEvent(course, { kind: 'host', host, state }, 0);
      for (const state of states) {
        const found = [...course.hosts.values()].filter((host) => host.state === state).length;
        expect(course.hosts.count(state)).toBe(found);
      }
      expect(course.hosts.count(...states)).toBe(3);
    }),
  );
});
