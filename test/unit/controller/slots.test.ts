import { Slots } from '@sampan/controller/slots.ts';
import { describe, expect, it } from 'vitest';

const never = new AbortController().signal;

/** Work that ends when it is told to. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { work: () => promise, open: resolve };
}

describe('Slots', () => {
  it('runs as much at one time as there are slots, and who waits in order', async () => {
    const slots = new Slots(2);
    const started: number[] = [];
    const gates = [0, 1, 2, 3].map(() => gate());
    const runs = gates.map(({ work }, index) =>
      slots.run(async () => {
        started.push(index);
        await work();
        return index;
      }, never),
    );
    await Promise.resolve();
    expect(started).toEqual([0, 1]);
    gates[1]?.open();
    await runs[1];
    expect(started).toEqual([0, 1, 2]);
    gates[0]?.open();
    await runs[0];
    expect(started).toEqual([0, 1, 2, 3]);
    for (const { open } of gates) open();
    expect(await Promise.all(runs)).toEqual([0, 1, 2, 3]);
  });

  it('frees the slot of work that fails', async () => {
    const slots = new Slots(1);
    await expect(slots.run(() => Promise.reject(new Error('no')), never)).rejects.toThrow('no');
    expect(await slots.run(async () => 'yes', never)).toBe('yes');
  });

  it('lets who waits go when told to stop, and gives the slot to the next', async () => {
    const slots = new Slots(1);
    const first = gate();
    const running = slots.run(first.work, never);
    const stop = new AbortController();
    const left = slots.run(async () => 'left', stop.signal);
    const next = slots.run(async () => 'next', never);
    stop.abort(new Error('stopped'));
    await expect(left).rejects.toThrow('stopped');
    first.open();
    await running;
    expect(await next).toBe('next');
  });

  it('starts nothing for who was told to stop before', async () => {
    const slots = new Slots(1);
    await expect(slots.run(async () => 'ran', AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
    expect(await slots.run(async () => 'free', never)).toBe('free');
  });
});
