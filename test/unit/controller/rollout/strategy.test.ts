import { ALL_AT_ONCE, planWaves, type Strategy } from '@sampan/controller/rollout/strategy.ts';
import { describe, expect, it } from 'vitest';

const hosts = ['a', 'b', 'c', 'd', 'e'];
const plan = (more: Partial<Strategy>) =>
  planWaves(hosts, { ...ALL_AT_ONCE, ...more }).map((wave) => `${wave.hosts.join('')} ${wave.pause.kind}`);

describe('the waves', () => {
  it.each<[Partial<Strategy>, string[]]>([
    [{}, ['abcde none']],
    [{ batch: { kind: 'count', count: 2 } }, ['ab none', 'cd none', 'e none']],
    [{ batch: { kind: 'count', count: 9 } }, ['abcde none']],
    [{ batch: { kind: 'percent', percent: 25 } }, ['ab none', 'cd none', 'e none']],
    [{ batch: { kind: 'percent', percent: 1 } }, ['a none', 'b none', 'c none', 'd none', 'e none']],
    [{ canary: { hosts: 1, pauseMs: null } }, ['a person', 'bcde none']],
    [{ canary: { hosts: 2, pauseMs: 5000 }, batch: { kind: 'count', count: 2 } }, ['ab time', 'cd none', 'e none']],
    [{ canary: { hosts: 1, pauseMs: 0 } }, ['a none', 'bcde none']],
    [{ canary: { hosts: 9, pauseMs: null } }, ['abcde none']],
  ])('of %j are %j', (strategy, waves) => {
    expect(plan(strategy)).toEqual(waves);
  });

  it('are none of no hosts', () => {
    expect(planWaves([], ALL_AT_ONCE)).toEqual([]);
  });
});
