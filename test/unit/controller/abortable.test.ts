import { abortable } from '@sampan/controller/abortable.ts';
import { expect, it } from 'vitest';

const gone = new Error('gone');

it('is what comes first: the value, the fault, or the reason', async () => {
  const never = new Promise<never>(() => undefined);
  const { signal } = new AbortController();
  const leaving = new AbortController();
  const left = abortable(never, leaving.signal);
  leaving.abort(gone);
  expect(await abortable(Promise.resolve('value'), signal)).toBe('value');
  await expect(abortable(Promise.reject(new Error('fault')), signal)).rejects.toThrow('fault');
  await expect(left).rejects.toBe(gone);
});

it('leaves nobody to hear how work fails that is waited for no more', async () => {
  const unheard: unknown[] = [];
  const listen = (reason: unknown) => unheard.push(reason);
  process.on('unhandledRejection', listen);
  const work = Promise.withResolvers<void>();
  await expect(abortable(work.promise, AbortSignal.abort(gone))).rejects.toBe(gone);
  work.reject(new Error('later'));
  // Node tells of what nobody handles once its microtasks are done.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', listen);
  expect(unheard).toEqual([]);
});
