import { SharedClock } from '@sampan/controller/store/shared-clock.ts';
import type { Logger } from '@sampan/shared/logger.ts';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

const HERE_MS = Date.parse('2026-01-02T00:00:00.000Z');
const DAY_MS = 86_400_000;

const told: unknown[][] = [];
const log = {
  info: (...line: unknown[]) => told.push(['info', ...line]),
  warn: (...line: unknown[]) => told.push(['warn', ...line]),
} as unknown as Logger;

beforeEach(() => {
  told.length = 0;
  vi.useFakeTimers({ now: HERE_MS, toFake: ['Date'] });
});
afterEach(() => void vi.useRealTimers());

/** The database shows `databaseMs`, between a look at the clock and another, so much later. */
function look(clock: SharedClock, databaseMs: number, tookMs = 10): void {
  clock.compare(databaseMs, { fromMs: HERE_MS - tookMs, toMs: HERE_MS });
}

it('is the clock of this machine while that may be the same as the database', () => {
  const clock = new SharedClock(log);
  for (const [differsMs, tookMs] of [
    [0, 10],
    [990, 10],
    [-990, 10],
    // It may have been looked at just before the answer came, or just after the question went.
    [-5_000, 4_500],
  ] as const) {
    look(clock, HERE_MS + differsMs, tookMs);
    expect(clock.nowMs()).toBe(HERE_MS);
  }
  expect(told).toEqual([]);
});

it.each([
  ['ahead', HERE_MS - DAY_MS, 86_400],
  ['behind', HERE_MS + DAY_MS, -86_400],
])("is the database's where this machine's is a day %s, and says so once", (_which, databaseMs, aheadSeconds) => {
  const clock = new SharedClock(log);
  look(clock, databaseMs, 0);
  look(clock, databaseMs + 3, 0);
  expect(clock.nowMs()).toBe(databaseMs);
  expect(clock.now()).toBe(new Date(databaseMs).toISOString());
  expect(told).toEqual([['warn', { aheadSeconds }, expect.stringContaining("is not the database's")]]);
  look(clock, HERE_MS, 0);
  expect(clock.nowMs()).toBe(HERE_MS);
  expect(told.slice(1)).toEqual([['info', "this controller's clock agrees with the database's again"]]);
});

it('does not go to and fro where the difference is about what is found too much, or where an answer is slow', () => {
  const clock = new SharedClock(log);
  for (const differsMs of [-1_005, -995, -1_005]) look(clock, HERE_MS + differsMs, 0);
  expect(clock.nowMs()).toBe(HERE_MS - 1_005);
  look(clock, HERE_MS - 5_000, 10_000);
  expect(clock.nowMs()).toBe(HERE_MS - 1_005);
  expect(told.length).toBe(1);
});

it('gives ids that are in the order of the database, whatever this machine takes it for', () => {
  const clock = new SharedClock(log);
  const mine = clock.newId();
  look(clock, HERE_MS - DAY_MS, 0);
  const dayBefore = clock.newId();
  for (const id of [mine, dayBefore])
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(dayBefore.replace('-', '').slice(0, 12), 16)).toBe(HERE_MS - DAY_MS);
  expect(dayBefore < mine).toBe(true);
});
