import { EventEmitter, once } from 'node:events';
import { performance } from 'node:perf_hooks';
import type { DeployError } from '@sampan/shared/errors.ts';
import type { Journal } from './journal.ts';
import type { JournalRecord, Outcome, Phase } from './journal-record.ts';
import type { Counts, OperationContext, Progress, UndatedRecord } from './operation-context.ts';

/** So much later at the most does a watcher hear of a step; of the end of the run it hears at once. */
const GUST_MS = 20;

/** Where a run writes, and who is told how long its steps took. */
interface RunTools {
  journal: Journal;
  observe: (step: string, seconds: number) => void;
}

/**
 * One phase of one operation while it runs.
 * INVARIANTS: cancelling and deciding to flip are both synchronous, so one of them comes first and the other sees it;
 * a run outlives the callers that watch it.
 */
export class OperationRun implements OperationContext {
  readonly operationId: string;
  readonly phase: Phase;
  readonly history: readonly JournalRecord[];
  readonly #records: JournalRecord[];
  readonly #journal: Journal;
  readonly #observe: (step: string, seconds: number) => void;
  readonly #abort = new AbortController();
  readonly #events = new EventEmitter<{ progress: [Progress]; end: [] }>().setMaxListeners(0);
  #last: Progress | undefined;
  #flipDecided = false;
  #outcome: Outcome | undefined;
  #concluding = false;

  /** `records` is the operation's own list: what this run writes to the journal is added to it. */
  constructor(of: { operationId: string; phase: Phase; records: JournalRecord[] }, tools: RunTools) {
    this.operationId = of.operationId;
    this.phase = of.phase;
    this.history = [...of.records];
    this.#records = of.records;
    this.#journal = tools.journal;
    this.#observe = tools.observe;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get flipDecided(): boolean {
    return this.#flipDecided;
  }

  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /** Ends the run with `reason` if it has not decided to flip and has not ended already; says whether it will end so. */
  cancel(reason: DeployError): boolean {
    if (this.#flipDecided || this.#concluding) return false;
    this.#abort.abort(reason);
    return true;
  }

  /** Past the flip the same reason ends what still waits (hooks, restarts), and the release goes back. */
  expire(reason: DeployError): void {
    this.#abort.abort(reason);
  }

  decideFlip(): void {
    this.#abort.signal.throwIfAborted();
    this.#flipDecided = true;
  }

  async record(entry: UndatedRecord): Promise<void> {
    const record = { ...entry, at: new Date().toISOString(), phase: this.phase } as JournalRecord;
    await this.#journal.append(this.operationId, record);
    this.#records.push(record);
  }

  async step<T>(name: string, run: (count: (counts: Counts) => void) => Promise<T>): Promise<T> {
    this.#abort.signal.throwIfAborted();
    const started = performance.now();
    let counts: Counts = { bytes: 0, totalBytes: 0, entries: 0 };
    const tell = (state: Progress['state']) =>
      this.#tell({ step: name, state, ...counts, elapsedMs: Math.round(performance.now() - started) });
    tell('started');
    const result = await run((now) => {
      counts = now;
      tell('running');
    });
    tell('finished');
    this.#observe(name, (performance.now() - started) / 1000);
    return result;
  }

  /** The work is done: what it came to is being written down, and cannot be cancelled any more. */
  conclude(): void {
    this.#concluding = true;
  }

  get isConcluding(): boolean {
    return this.#concluding;
  }

  /** Resolves when the run has its outcome. */
  async ended(): Promise<void> {
    if (!this.#outcome) await once(this.#events, 'end');
  }

  finish(outcome: Outcome): void {
    this.#concluding = true;
    this.#outcome = outcome;
    this.#events.emit('end');
  }

  /**
   * The progress from now on, the latest known first; ends with the run or when `signal` aborts. What is told within `GUST_MS`
   * comes together: a step of a small deploy takes a millisecond, and to send a message by itself takes as long.
   */
  async *watch(signal: AbortSignal): AsyncGenerator<Progress> {
    const queue: Progress[] = this.#last ? [this.#last] : [];
    const wake = new EventEmitter<{ more: [] }>();
    let gust: NodeJS.Timeout | undefined;
    const push = (progress: Progress) => {
      // What a step says replaces what it said before: a slow watcher costs one entry a step, and so does a step that was quick.
      if (queue.at(-1)?.step === progress.step && queue.at(-1)?.state !== 'finished') queue.pop();
      queue.push(progress);
      gust ??= setTimeout(wakeUp, GUST_MS);
    };
    const wakeUp = () => {
      clearTimeout(gust);
      gust = undefined;
      wake.emit('more');
    };
    this.#events.on('progress', push).on('end', wakeUp);
    try {
      for (;;) {
        const next = queue.shift();
        if (next) yield next;
        else if (this.#outcome) return;
        else await once(wake, 'more', { signal });
      }
    } finally {
      clearTimeout(gust);
      this.#events.off('progress', push).off('end', wakeUp);
    }
  }

  #tell(progress: Progress): void {
    this.#last = progress;
    this.#events.emit('progress', progress);
  }
}
