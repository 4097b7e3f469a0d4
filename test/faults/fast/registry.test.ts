import { expect, it } from 'vitest';
import { allCases } from '../cases/all-cases.ts';
import { type Group, registry, skipReason } from '../registry/registry.ts';
import { skips } from '../registry/skips.ts';

const groups = Object.keys(registry) as Group[];

it('each input and fault has a case, or a reason why it is skipped, and not both', () => {
  for (const group of groups) {
    const tried = Object.keys(allCases[group]);
    const skipped = Object.keys(skips[group]);
    expect([group, [...tried, ...skipped].sort()]).toEqual([group, [...registry[group]].sort()]);
    for (const name of skipped) expect(skipReason(group, name)).toMatch(/\w{3,}/);
  }
});
