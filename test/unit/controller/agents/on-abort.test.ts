import { getEventListeners } from 'node:events';
import { onAbort } from '@sampan/controller/agents/on-abort.ts';
import { expect, it, vi } from 'vitest';

it('hears once when the signal is aborted', () => {
  const caller = new AbortController();
  const listener = vi.fn();
  onAbort(caller.signal, listener);
  expect(listener.mock.calls.length).toBe(0);
  caller.abort('first');
  caller.abort('second');
  expect(listener.mock.calls.length).toBe(1);
});

it('hears nothing any more once it was told to stop, and leaves no listener', () => {
  const caller = new AbortController();
  const listener = vi.fn();
  onAbort(caller.signal, listener)();
  expect(getEventListeners(caller.signal, 'abort').length).toBe(0);
  caller.abort();
  expect(listener.mock.calls.length).toBe(0);
});

it('throws at once what the signal was aborted with before', () => {
  const listener = vi.fn();
  expect(() => onAbort(AbortSignal.abort(new Error('gone')), listener)).toThrow('gone');
  expect(listener.mock.calls.length).toBe(0);
});
