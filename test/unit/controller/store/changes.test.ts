import { Changes } from '@sampan/controller/store/changes.ts';
import { expect, it, vi } from 'vitest';

const never = new AbortController().signal;

it('whoever follows a rollout is woken by what changes in it, also before they wait, and by nothing else', async () => {
  const changes = new Changes();
  const follower = changes.follow('op-1');
  changes.hint('op-1');
  await follower.next(never);
  const wake = vi.fn();
  const next = follower.next(never).then(wake);
  changes.hint('op-2');
  await new Promise(setImmediate);
  expect(wake).not.toHaveBeenCalled();
  changes.hint('op-1');
  await next;
  changes.hintAll();
  await follower.next(never);
  follower.close();
});

it('looks now and then without being told, and no longer once it is not to', async () => {
  vi.useFakeTimers();
  try {
    const follower = new Changes().follow('op-1');
    const next = follower.next(never);
    await vi.advanceTimersByTimeAsync(1_000);
    await next;
    const stop = new AbortController();
    const stopped = follower.next(stop.signal);
    const reason = new Error('gone');
    stop.abort(reason);
    await expect(stopped).rejects.toBe(reason);
  } finally {
    vi.useRealTimers();
  }
});
