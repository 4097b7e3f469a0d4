import { expect, it } from 'vitest';
import { Serial } from '../../../../packages/agent/src/supervisor/serial.ts';

const signal = new AbortController().signal;

it('runs one piece of work at a time, in the order of arrival, failures included', async () => {
  const serial = new Serial();
  const events: string[] = [];
  const work = (name: string, fails: boolean) => async () => {
    events.push(`${name} starts`);
    await new Promise(setImmediate);
    events.push(`${name} ends`);
    if (fails) throw new Error(name);
    return name;
  };
  const outcomes = await Promise.allSettled([
    serial.run(work('a', true), signal),
    serial.run(work('b', false), signal),
    serial.run(work('c', false), signal),
  ]);
  expect(events).toEqual(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
});

it('gives up a turn that is aborted while it waits, and lets the next one go on in its place', async () => {
  const serial = new Serial();
  const first = Promise.withResolvers<void>();
  const running = serial.run(() => first.promise, signal);
  const abort = new AbortController();
  let ran = false;
  const waiting = serial.run(async () => {
    ran = true;
  }, abort.signal);
  const last = serial.run(async () => 'last', signal);
  abort.abort(new Error('too late'));
  await expect(waiting).rejects.toThrow('too late');
  first.resolve();
  await running;
  expect(await last).toBe('last');
  expect(ran).toBe(false);
});
