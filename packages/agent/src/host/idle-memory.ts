import { garbageCollector } from './garbage-collector.ts';
import { dropUnusedPages } from './unused-pages.ts';

const QUIET_MS = 3000;

/**
 * Gives memory back once the process has been quiet for three seconds. V8 collects when it needs room, and an agent that
 * waits never does: what its start and each deploy leave behind would stay, 4 to 8 MiB. It takes 30 ms, and of the processor's time 50.
 */
export class IdleMemory {
  readonly #isBusy: () => boolean;
  readonly #dropPages: boolean;
  #timer: NodeJS.Timeout | undefined;

  /** `dropPages`: of Node's own binary as well, which all threads of a process share; by default true. */
  constructor(isBusy: () => boolean, { dropPages = true } = {}) {
    this.#isBusy = isBusy;
    this.#dropPages = dropPages;
  }

  /** Something was done. Never keeps the process alive. */
  stirred(): void {
    this.#timer ??= setTimeout(() => this.#whenQuiet(), QUIET_MS).unref();
    this.#timer.refresh();
  }

  #whenQuiet(): void {
    if (this.#isBusy()) {
      this.stirred();
      return;
    }
    this.#timer = undefined;
    // Also the pages that V8 keeps for later, and code that has not run for a while.
    garbageCollector()({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    if (this.#dropPages) dropUnusedPages();
  }
}
