import { Worker } from 'node:worker_threads';
import { SILENT_FFI } from '../host/libc.ts';
import type { Synced } from '../host/syncfs.ts';
import type { SmallArtifact, ThreadAnswer, ThreadOrder, Unpacked } from '../unpack/unpack-order.ts';
import { unpackProgram } from './unpack-program.ts';

/** As long as a controller keeps a connection that it does not use. The thread holds 8 MiB, and takes 25 ms to start. */
const KEPT_MS = 10 * 60_000;
const MEMORY = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

/**
 * A thread that unpacks small artifacts, one at a time, and makes durable what was unpacked; started when it is needed, and ended
 * when it was not for ten minutes. While it waits for the kernel, others unpack and sync in processes. A thread, so that
 * neither a slow disk nor much work on few bytes holds up the agent; and not a process, because that takes longer to start
 * than all the rest of a small deploy.
 */
export class UnpackThread {
  #worker: Worker | undefined;
  #isBusy = false;
  #idle: NodeJS.Timeout | undefined;

  /** Has it start, if it does not run: there will soon be something to unpack. */
  prepare(): void {
    if (this.#isBusy) return;
    this.#worker ??= this.#start();
    this.#endWhenIdle();
  }

  /**
   * Unpacks an artifact. Undefined: it does not go through here, or not now; what stands in its staging directory is of no use.
   * Aborted, it ends the thread, and resolves when that writes nothing more.
   */
  async unpack(artifact: SmallArtifact, signal: AbortSignal): Promise<Unpacked | undefined> {
    if (this.#isBusy || signal.aborted) return undefined;
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const onAbort = () => void worker.terminate();
    signal.addEventListener('abort', onAbort);
    try {
      return (await this.#ask(worker, { unpack: artifact }))?.unpacked;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Makes everything that was written to the filesystem of `path` durable. Undefined: that cannot be done here, or not now.
   * @throws what `signal` was aborted with, at once: what the kernel does is not ended by that, and holds the thread up until it is done.
   */
  async sync(path: string, signal: AbortSignal): Promise<Synced | undefined> {
    const worker = this.#worker;
    signal.throwIfAborted();
    if (this.#isBusy || !worker) return undefined;
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => {
      worker.unref();
      aborted.reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort);
    try {
      const answer = await Promise.race([this.#ask(worker, { sync: path }), aborted.promise]);
      // Whether it had been told of an error nobody knows; asked again, the kernel would not tell it again.
      return answer ? answer.synced : { reason: 'its thread has ended' };
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Undefined where the thread has ended instead. The caller has seen that it is not busy. */
  async #ask(worker: Worker, order: ThreadOrder): Promise<ThreadAnswer | undefined> {
    this.#isBusy = true;
    clearTimeout(this.#idle);
    try {
      return await answerOf(worker, order);
    } finally {
      this.#isBusy = false;
      this.#endWhenIdle();
    }
  }

  #start(): Worker {
    // Of the agent's own flags it needs one: without, the FFI would tell of itself.
    const execArgv = process.execArgv.filter((flag) => flag === SILENT_FFI);
    const worker = new Worker(unpackProgram('thread').path, { execArgv, resourceLimits: MEMORY });
    const forget = () => {
      if (this.#worker === worker) this.#worker = undefined;
    };
    // One that runs out of memory, say: whoever waits for it hears of its exit.
    worker.on('error', forget).on('exit', forget);
    worker.unref();
    return worker;
  }

  #endWhenIdle(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      void this.#worker?.terminate();
      this.#worker = undefined;
    }, KEPT_MS).unref();
  }
}

function answerOf(worker: Worker, order: ThreadOrder): Promise<ThreadAnswer | undefined> {
  return new Promise((resolve) => {
    const settle = (answer: ThreadAnswer | undefined) => {
      worker.off('message', onMessage).off('exit', onExit).unref();
      resolve(answer);
    };
    const onMessage = (answer: ThreadAnswer) => settle(answer);
    const onExit = () => settle(undefined);
    worker.on('message', onMessage).on('exit', onExit).ref();
    worker.postMessage(order);
  });
}
