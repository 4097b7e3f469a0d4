import type { Progress__Output } from '@sampan/shared/gen/sampan/agent/v1/Progress.ts';
import type { CourseEvent } from './course.ts';

/** One host is told of once a second; of many, each more seldom, so that their events stay as many. */
const EVERY_MS = 900;
const HOSTS_AT_FULL_RATE = 100;

/** Lets the progress of one host through: each step's beginning and end as far as the agent tells them, and between these now and then. */
export class ProgressThrottle {
  readonly #everyMs: number;
  #last: { step: string; state: string; atMs: number } | undefined;

  constructor(hosts: number) {
    this.#everyMs = EVERY_MS * Math.max(1, hosts / HOSTS_AT_FULL_RATE);
  }

  /** What is to be told; undefined for what comes too soon after the last. */
  pass(host: string, progress: Progress__Output): CourseEvent | undefined {
    const { step, state } = progress;
    const nowMs = performance.now();
    const isNews = this.#last?.step !== step || this.#last.state !== state;
    if (!isNews && this.#last && nowMs - this.#last.atMs < this.#everyMs) return undefined;
    this.#last = { step, state, atMs: nowMs };
    return {
      kind: 'progress',
      host,
      step,
      step_state: state,
      bytes: progress.bytes,
      total_bytes: progress.totalBytes,
      entries: progress.entries,
      elapsed_ms: progress.elapsedMs,
    };
  }
}
