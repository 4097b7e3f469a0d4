import { FailureLimit } from '@sampan/controller/http/failure-limit.ts';
import { describe, expect, it } from 'vitest';

describe('failures', () => {
  it('are told until there are too many in a minute, for each client by itself', () => {
    const limit = new FailureLimit(2);
    const told = [0, 10_000, 20_000, 50_000, 60_000].map((nowMs) => limit.failed('a', nowMs));
    expect(told).toEqual([undefined, undefined, 40_000, 10_000, undefined]);
    expect(limit.failed('b', 50_000)).toBeUndefined();
  });

  it('are remembered of 10,000 clients: the one that began longest ago is forgotten first', () => {
    const limit = new FailureLimit(1);
    for (let client = 0; client < 10_001; client += 1) limit.failed(`c${client}`, client);
    expect(limit.failed('c10000', 10_001)).toBe(59_999);
    expect(limit.failed('c1', 10_001)).toBe(50_000);
    expect(limit.failed('c0', 10_001)).toBeUndefined();
  });
});
