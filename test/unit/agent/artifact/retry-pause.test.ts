import { parseRetryAfter, retryPause } from '@sampan/agent/artifact/retry-pause.ts';
import { afterEach, expect, it, vi } from 'vitest';

afterEach(() => vi.useRealTimers());

it('grows from a quarter of a second to ten, less up to a half of it', () => {
  for (const [attempt, full] of [
    [1, 250],
    [2, 500],
    [3, 1000],
    [6, 8000],
    [7, 10_000],
    [20, 10_000],
  ] as const) {
    const pause = retryPause(attempt, undefined);
    expect(pause).toBeGreaterThan(full / 2);
    expect(pause).toBeLessThanOrEqual(full);
  }
});

it('is what the origin asks for, up to a minute', () => {
  expect([0, 1500, 60_000, 3_600_000].map((asked) => retryPause(1, asked))).toEqual([0, 1500, 60_000, 60_000]);
});

it('is asked for in seconds or as a date', () => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z'), toFake: ['Date'] });
  const dates = ['Thu, 01 Jan 2026 00:00:05 GMT', 'Wed, 31 Dec 2025 23:00:00 GMT'];
  expect(['3', ' 0 ', ...dates].map(parseRetryAfter)).toEqual([3000, 0, 5000, 0]);
  expect([undefined, '', 'soon'].map(parseRetryAfter)).toEqual([undefined, undefined, undefined]);
});
