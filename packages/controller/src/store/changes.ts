/** How long a hint may be missing before whoever waits looks all the same. */
const LOOK_EVERY_MS = 1_000;

/** One who follows a rollout. */
export interface Follower {
  /**
   * Resolves when there may be something new since it last resolved, or since it was made; at least once a second. So: make it,
   * look, wait, look. @throws what `signal` was aborted with.
   */
  next(signal: AbortSignal): Promise<void>;
  /** To be called at the end. */
  close(): void;
}

/**
 * Wakes those who follow rollouts when there may be something new in the database. It is a hint: the truth is in the tables, where
 * everybody looks now and then without one.
 */
export class Changes {
  readonly #followers = new Map<string, Set<() => void>>();

  /** Something has changed about a rollout. */
  hint(operationId: string): void {
    for (const wake of this.#followers.get(operationId) ?? []) wake();
  }

  /** Hints may have been missed: about any of them. */
  hintAll(): void {
    for (const operationId of this.#followers.keys()) this.hint(operationId);
  }

  follow(operationId: string): Follower {
    let isDirty = false;
    let waiting: (() => void) | undefined;
    const wake = () => {
      isDirty = true;
      waiting?.();
    };
    const others = this.#followers.get(operationId) ?? new Set();
    this.#followers.set(operationId, others.add(wake));
    return {
      async next(signal) {
        signal.throwIfAborted();
        if (!isDirty) {
          await new Promise<void>((resolve, reject) => {
            const timer = setTimeout(done, LOOK_EVERY_MS);
            const give = () => {
              reject(signal.reason);
              done();
            };
            function done() {
              clearTimeout(timer);
              signal.removeEventListener('abort', give);
              waiting = undefined;
              resolve();
            }
            waiting = done;
            signal.addEventListener('abort', give, { once: true });
          });
        }
        isDirty = false;
      },
      close: () => {
        others.delete(wake);
        if (others.size === 0 && this.#followers.get(operationId) === others) this.#followers.delete(operationId);
      },
    };
  }
}
