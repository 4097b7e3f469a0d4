interface Waiting {
  signal: AbortSignal;
  start(): void;
  leave(): void;
}

/** A bound on how much runs at one time. Who waits is served in order. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<Waiting>();
  /** One listener for all who wait with the same signal: thousands do, and each more makes adding and removing one slower. */
  readonly #watched = new Map<AbortSignal, { waiting: number; stopWatching(): void }>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Runs `work` once a slot is free. @throws what `signal` was aborted with while waiting; once it runs, `work` decides. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.take(signal);
    try {
      return await work();
    } finally {
      this.pass();
    }
  }

  /** Resolves once a slot is free; whoever took it has to `pass` it on. @throws what `signal` was aborted with while waiting. */
  take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free === 0) return this.#wait(signal);
    this.#free -= 1;
    return Promise.resolve();
  }

  /** A slot goes from hand to hand while somebody waits. */
  pass(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#free += 1;
      return;
    }
    this.#remove(next);
    next.start();
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.add({ signal, start: resolve, leave: () => reject(signal.reason) });
      this.#watch(signal).waiting += 1;
    });
  }

  #watch(signal: AbortSignal): { waiting: number } {
    const known = this.#watched.get(signal);
    if (known) return known;
    const onAbort = () => this.#leaveAll(signal);
    signal.addEventListener('abort', onAbort, { once: true });
    const watched = { waiting: 0, stopWatching: () => signal.removeEventListener('abort', onAbort) };
    this.#watched.set(signal, watched);
    return watched;
  }

  #leaveAll(signal: AbortSignal): void {
    for (const one of this.#waiting) {
      if (one.signal !== signal) continue;
      this.#remove(one);
      one.leave();
    }
  }

  #remove(one: Waiting): void {
    this.#waiting.delete(one);
    const watched = this.#watched.get(one.signal);
    if (!watched) return;
    watched.waiting -= 1;
    if (watched.waiting > 0) return;
    watched.stopWatching();
    this.#watched.delete(one.signal);
  }
}

/**
 * One's turn in a series of steps: it bounds how much begins at one time, not what only waits. A step that lasts longer than it
 * may hold the slot lets the next one begin, and the step after it waits for a turn again.
 */
export class Turn {
  readonly #slots: Slots;
  readonly #signal: AbortSignal;
  #isHeld = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(slots: Slots, signal: AbortSignal) {
    this.#slots = slots;
    this.#signal = signal;
  }

  /** Begins a step that holds the slot for `ms` at the most. @throws what the signal was aborted with while waiting. */
  async begin(ms: number): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.#isHeld) await this.#slots.take(this.#signal);
    this.#isHeld = true;
    this.#timer = setTimeout(() => this.end(), ms);
  }

  /** To be called however the last step ends. */
  end(): void {
    clearTimeout(this.#timer);
    if (this.#isHeld) this.#slots.pass();
    this.#isHeld = false;
  }
}
