import { addAbortListener } from 'node:events';

/** Runs one piece of work at a time, in the order of arrival. */
export class Serial {
  #tail: Promise<unknown> = Promise.resolve();

  /** Waits for its turn, then works. An abort while it waits gives the turn up; the work itself heeds the signal on its own. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
    const turn = this.#tail;
    this.#tail = turn.then(() => finished);
    try {
      await untilTurn(turn, signal);
      return await work();
    } finally {
      finish();
    }
  }
}

async function untilTurn(turn: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  using _listener = addAbortListener(signal, () => reject(signal.reason));
  await Promise.race([turn, aborted]);
}
