import { getHeapStatistics } from 'node:v8';
import { IdleMemory } from '@sampan/agent/host/idle-memory.ts';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** What was just left behind, in bytes: most of it is gone once the heap was collected. */
const LEFT_BEHIND = 16 * 1024 * 1024;

function leaveBehind(): number {
  Array.from({ length: LEFT_BEHIND / 64 }, (_, index) => ({ index, text: `${index}` }));
  return getHeapStatistics().used_heap_size;
}

it('gives back what was left behind once nothing has stirred for three seconds, and not before', () => {
  const memory = new IdleMemory(() => false);
  memory.stirred();
  vi.advanceTimersByTime(2000);
  memory.stirred();
  const before = leaveBehind();
  vi.advanceTimersByTime(2999);
  expect(getHeapStatistics().used_heap_size).toBeGreaterThan(before - LEFT_BEHIND / 2);
  vi.advanceTimersByTime(1);
  expect(getHeapStatistics().used_heap_size).toBeLessThan(before - LEFT_BEHIND / 2);
  expect(vi.getTimerCount()).toBe(0);
});

it('waits for as long as there is something to do', () => {
  let busy = true;
  const memory = new IdleMemory(() => busy);
  memory.stirred();
  const before = leaveBehind();
  vi.advanceTimersByTime(60_000);
  expect(getHeapStatistics().used_heap_size).toBeGreaterThan(before - LEFT_BEHIND / 2);
  busy = false;
  vi.advanceTimersByTime(3000);
  expect(getHeapStatistics().used_heap_size).toBeLessThan(before - LEFT_BEHIND / 2);
});
