import { duration, period } from '@sampan/shared/units.ts';
import { describe, expect, it } from 'vitest';

const DAY_MS = 86_400_000;

describe('a duration that a timer waits for', () => {
  it.each([
    ['500ms', 500],
    ['1.5s', 1500],
    ['24d', 24 * DAY_MS],
  ])('%s is %d ms', (text, ms) => expect(duration.parse(text)).toBe(ms));

  it.each([
    ['25d', 'expected more than 0 and at most 24d, got "25d"'],
    ['0s', 'expected more than 0 and at most 24d, got "0s"'],
    [30, 'expected a duration such as 30s, got 30'],
  ])('%s is refused', (value, message) => expect(messageOf(duration.safeParse(value))).toBe(message));
});

describe('a span of the calendar', () => {
  it.each([
    ['1h', 3_600_000],
    ['90d', 90 * DAY_MS],
    ['36500d', 36_500 * DAY_MS],
  ])('%s is %d ms', (text, ms) => expect(period.parse(text)).toBe(ms));

  it.each([
    ['36501d', 'expected more than 0 and at most 36500d, got "36501d"'],
    ['90', 'expected a duration such as 90d, got "90"'],
  ])('%s is refused', (value, message) => expect(messageOf(period.safeParse(value))).toBe(message));
});

function messageOf(parsed: ReturnType<typeof period.safeParse>): string | undefined {
  return parsed.error?.issues[0]?.message;
}
