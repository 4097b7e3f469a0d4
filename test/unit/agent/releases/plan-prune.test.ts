import { planPrune } from '@sampan/agent/releases/plan-prune.ts';
import { describe, expect, it } from 'vitest';

const releases = ['e', 'd', 'c', 'b', 'a'].map((name) => ({ name, version: `v-${name}` }));

describe('planning what to prune', () => {
  it('removes what is older than the newest ones to keep', () => {
    expect(planPrune({ newestFirst: releases, keep: 3, protectedBy: new Map() })).toEqual({
      remove: ['b', 'a'],
      kept: [],
    });
  });

  it('never removes what is needed, and says why', () => {
    const protectedBy = new Map([['a', 'in_use']] as const);
    expect(planPrune({ newestFirst: releases, keep: 3, protectedBy })).toEqual({
      remove: ['b'],
      kept: [{ release: 'a', reason: 'in_use' }],
    });
  });

  it('removes the copies of an unwanted version whatever their age', () => {
    expect(planPrune({ newestFirst: releases, keep: 10, unwanted: 'v-d', protectedBy: new Map() })).toEqual({
      remove: ['d'],
      kept: [],
    });
  });
});
