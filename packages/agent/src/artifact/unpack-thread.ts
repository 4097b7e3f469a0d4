import { Worker } from 'node:worker_threads';
import type { SmallArtifact, Unpacked } from '../unpack/unpack-order.ts';
import { unpackProgram } from './unpack-program.ts';

/** As long as a controller keeps a connection that it does not use. The thread holds 8 MiB, and takes 25 ms to start. */
const KEPT_MS = 10 * 60_000;
const MEMORY = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

/**
 * A thread that unpacks small artifacts, one at a time; started when it is needed, and ended when it was not for ten minutes. A
 * thread, so that neither a slow disk nor much work on few bytes holds up the agent; and not a process, because that takes
 * longer to start than all the rest of a small deploy.
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
    this.#isBusy = true;
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    try {
      return await answerOf(this.#worker, artifact, signal);
    } finally {
      this.#isBusy = false;
      this.#endWhenIdle();
    }
  }

  #start(): Worker {
    const worker = new Worker(unpackProgram('thread').path, { execArgv: [], resourceLimits: MEMORY });
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

function answerOf(worker: Worker, artifact: SmallArtifact, signal: AbortSignal): Promise<Unpacked | undefined> {
  return new Promise((resolve) => {
    const settle = (unpacked: Unpacked | undefined) => {
      worker.off('message', onMessage).off('exit', onExit).unref();
      signal.removeEventListener('abort', onAbort);
      resolve(unpacked);
    };
    const onMessage = ({ unpacked }: { unpacked: Unpacked | undefined }) => settle(unpacked);
    const onExit = () => settle(undefined);
    const onAbort = () => void worker.terminate();
    worker.on('message', onMessage).on('exit', onExit).ref();
    signal.addEventListener('abort', onAbort);
    worker.postMessage(artifact);
  });
}
