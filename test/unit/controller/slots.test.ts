import { getEventListeners } from 'node:events';
import { Slots, Turn } from '@sampan/controller/slots.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

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

  it('lets all go who wait with one signal, and listens to it no longer than somebody does', async () => {
    const slots = new Slots(1);
    const first = gate();
    const running = slots.run(first.work, never);
    const stop = new AbortController();
    const left = [1, 2, 3].map(() => slots.run(async () => 'left', stop.signal));
    const stays = slots.run(async () => 'stays', never);
    expect(getEventListeners(stop.signal, 'abort').length).toBe(1);
    stop.abort(new Error('stopped'));
    const outcomes = await Promise.allSettled(left);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    first.open();
    await running;
    expect(await stays).toBe('stays');
    expect(getEventListeners(never, 'abort').length).toBe(0);
  });

  it('starts nothing for who was told to stop before', async () => {
    const slots = new Slots(1);
    await expect(slots.run(async () => 'ran', AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
    expect(await slots.run(async () => 'free', never)).toBe('free');
  });
});

describe('a Turn', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Notes the order in which turns begin. */
  function turns(slots: Slots) {
    const begun: string[] = [];
    return {
      begun,
      begin: (name: string, turn: Turn, ms: number) => turn.begin(ms).then(() => begun.push(name)),
      turn: (signal = never) => new Turn(slots, signal),
    };
  }

  it('keeps its slot from step to step, and passes it on at its end', async () => {
    const { begun, begin, turn } = turns(new Slots(1));
    const [first, second] = [turn(), turn()];
    await begin('first: probe', first, 100);
    const waiting = begin('second: probe', second, 100);
    await begin('first: handshake', first, 1000);
    expect(begun).toEqual(['first: probe', 'first: handshake']);
    first.end();
    await waiting;
    expect(begun).toEqual(['first: probe', 'first: handshake', 'second: probe']);
  });

  it('lets another begin once a step has lasted longer than it may hold the slot, and then waits for its next', async () => {
    const { begun, begin, turn } = turns(new Slots(1));
    const [dead, living] = [turn(), turn()];
    await begin('dead: probe', dead, 100);
    const other = begin('living: probe', living, 100);
    await vi.advanceTimersByTimeAsync(99);
    expect(begun).toEqual(['dead: probe']);
    await vi.advanceTimersByTimeAsync(1);
    await other;
    const late = begin('dead: handshake', dead, 1000);
    await begin('living: handshake', living, 1000);
    expect(begun).toEqual(['dead: probe', 'living: probe', 'living: handshake']);
    living.end();
    await late;
    expect(begun.at(-1)).toBe('dead: handshake');
  });

  it('gives back no slot that it has not', async () => {
    const slots = new Slots(1);
    const { begun, begin, turn } = turns(slots);
    const [slow, one, two] = [turn(), turn(), turn()];
    await begin('slow', slow, 100);
    await vi.advanceTimersByTimeAsync(100);
    slow.end();
    slow.end();
    await begin('one', one, 100);
    void begin('two', two, 100);
    await vi.advanceTimersByTimeAsync(50);
    expect(begun).toEqual(['slow', 'one']);
  });

  it('does not begin for who was told to stop while waiting', async () => {
    const { begin, turn } = turns(new Slots(1));
    await begin('first', turn(), 1000);
    const stop = new AbortController();
    const left = turn(stop.signal).begin(1000);
    stop.abort(new Error('stopped'));
    await expect(left).rejects.toThrow('stopped');
  });
});
