import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@sampan/shared/logger.ts';

/** Work that nobody waits for, but that the process does not leave half done when it stops. */
export class BackgroundTasks {
  readonly #log: Logger;
  readonly #running = new Set<Promise<void>>();
  /** Ends what is put off. */
  #hurry = new AbortController();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Starts a task; what it throws is logged under its name. */
  start(name: string, work: () => Promise<void>): void {
    const task = work()
      .catch((error: unknown) => this.#log.error({ err: error, task: name }, 'background task failed'))
      .finally(() => this.#running.delete(task));
    this.#running.add(task);
  }

  /** The same in a while, or as soon as somebody waits for all of them. */
  startLater(name: string, ms: number, work: () => Promise<void>): void {
    this.start(name, async () => {
      await delay(ms, undefined, { signal: this.#hurry.signal, ref: false }).catch(() => undefined);
      await work();
    });
  }

  /** Resolves when nothing runs any more. What was put off begins at once. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) {
      this.#hurry.abort();
      this.#hurry = new AbortController();
      await Promise.all(this.#running);
    }
  }
}
