import { getEventListeners } from 'node:events';
import { abortReason, onAbort } from '@sampan/controller/agents/on-abort.ts';
import { expect, it, vi } from 'vitest';

it('hears once of the first signal that is aborted', () => {
  const [one, two] = [new AbortController(), new AbortController()];
  const listener = vi.fn();
  onAbort([one.signal, two.signal], listener);
  expect(abortReason([one.signal, two.signal])).toBeUndefined();
  two.abort('second');
  one.abort('first');
  expect(listener.mock.calls.length).toBe(1);
  expect(abortReason([one.signal, two.signal])).toEqual({ reason: 'first' });
});

it('hears nothing any more once it was told to stop, and leaves no listener', () => {
  const [one, two] = [new AbortController(), new AbortController()];
  const listener = vi.fn();
  onAbort([one.signal, two.signal], listener)();
  expect([one, two].map(({ signal }) => getEventListeners(signal, 'abort').length)).toEqual([0, 0]);
  one.abort();
  expect(listener.mock.calls.length).toBe(0);
});

it('throws at once what a signal was aborted with before', () => {
  const listener = vi.fn();
  const listen = () => onAbort([new AbortController().signal, AbortSignal.abort(new Error('gone'))], listener);
  expect(listen).toThrow('gone');
  expect(listener.mock.calls.length).toBe(0);
});
