import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError } from '@sampan/shared/errors.ts';
import { removeTree } from '../host/remove-tree.ts';
import { CONTENT_DIR, TREE_FILE, type Unpacked, type UnpackOrder } from '../unpack/unpack-order.ts';
import type { UnpackThread } from './unpack-thread.ts';
import type { Unpacker } from './unpacker.ts';

/** An artifact of at most so many bytes is worth no process of its own. */
export const SMALL_BYTES = 1024 * 1024;

/** What comes out of it may be so much. */
const MAX_UNPACKED_BYTES = 8 * 1024 * 1024;
const MAX_ENTRIES = 1000;

/** What a SmallUnpacker works with. */
export interface SmallParts {
  thread: UnpackThread;
  /** Of the artifact, by what the origin says. */
  totalBytes: number;
  /** Called at most once, with the staging directory empty. */
  startProcess: () => Promise<Unpacker>;
}

/**
 * Unpacks a small artifact in a thread of the agent, when all of it has come and was checked. A process of its own takes
 * more time to start than all the rest of a small deploy (bench/, small-release).
 *
 * There it can only succeed: what is wrong with an artifact, too big or merely odd is taken away again and given to a process
 * from its first byte, and what that says counts. So bad archives have one judge, and that one is the owner and can be killed.
 */
export class SmallUnpacker implements Unpacker {
  readonly #order: UnpackOrder;
  readonly #thread: UnpackThread;
  readonly #startProcess: () => Promise<Unpacker>;
  /** Shared with the thread, which reads it where it lies. */
  readonly #artifact: Buffer;
  #bytes = 0;
  #process: Unpacker | undefined;
  /** What is going on here, or being started. */
  #work: Promise<unknown> = Promise.resolve();
  readonly #killed = new AbortController();
  readonly #end = Promise.withResolvers<Unpacked>();

  constructor(order: UnpackOrder, { thread, totalBytes, startProcess }: SmallParts) {
    this.#order = order;
    this.#thread = thread;
    this.#startProcess = startProcess;
    this.#artifact = Buffer.from(new SharedArrayBuffer(totalBytes));
    // Told to whoever asks for the outcome; nobody need ask.
    this.#end.promise.catch(() => undefined);
  }

  get entries(): number {
    return this.#process?.entries ?? 0;
  }

  async write(bytes: Buffer): Promise<boolean> {
    if (!this.#process && this.#bytes + bytes.length <= this.#artifact.length) {
      this.#bytes += bytes.copy(this.#artifact, this.#bytes);
      return true;
    }
    // Another file than was announced, from an answer that was asked for again.
    if (!(this.#process || (await this.#during(this.#handOver())))) return false;
    return (await this.#process?.write(bytes)) ?? false;
  }

  async finish(): Promise<Unpacked> {
    if (!this.#process) {
      const unpacked = await this.#during(this.#unpackHere());
      if (unpacked) this.#end.resolve(unpacked);
      else await this.#during(this.#handOver());
    }
    await this.#process?.finish();
    return this.outcome();
  }

  outcome(): Promise<Unpacked> {
    return this.#end.promise;
  }

  async kill(): Promise<void> {
    this.#killed.abort();
    // What goes on may be waiting for it; and it may only be starting.
    await this.#process?.kill();
    await this.#work.catch(() => undefined);
    await this.#process?.kill();
    this.#end.reject(killed());
  }

  #during<T>(work: Promise<T>): Promise<T> {
    this.#work = work;
    return work;
  }

  /** Undefined where it did not go through. */
  #unpackHere(): Promise<Unpacked | undefined> {
    const { limits } = this.#order;
    const max_bytes = Math.min(limits.max_bytes, MAX_UNPACKED_BYTES);
    const max_entries = Math.min(limits.max_entries, MAX_ENTRIES);
    const order = { ...this.#order, limits: { ...limits, max_bytes, max_entries } };
    const bytes = this.#artifact.subarray(0, this.#bytes);
    return this.#thread.unpack({ order, bytes }, this.#killed.signal);
  }

  /** Lets a process do all of it. False: that has ended before it had taken what is there so far. */
  async #handOver(): Promise<boolean> {
    const { stagingDir } = this.#order;
    await removeTree(join(stagingDir, CONTENT_DIR));
    await rm(join(stagingDir, TREE_FILE), { force: true });
    if (this.#killed.signal.aborted) throw killed();
    const process = await this.#startProcess();
    this.#process = process;
    process.outcome().then(this.#end.resolve, this.#end.reject);
    if (this.#killed.signal.aborted) throw killed();
    return await process.write(this.#artifact.subarray(0, this.#bytes));
  }
}

function killed(): DeployError {
  return new DeployError('INTERNAL', {}, { cause: new Error('the unpacking was ended') });
}
