import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError } from '@sampan/shared/errors.ts';
import { removeTree } from '../host/remove-tree.ts';
import { closedContent } from '../unpack/content-dir.ts';
import { unpackArtifact } from '../unpack/unpack-artifact.ts';
import { CONTENT_DIR, TREE_FILE, type Unpacked, type UnpackOrder } from '../unpack/unpack-order.ts';
import type { Unpacker } from './unpacker.ts';

/** An artifact of at most so many bytes is worth no process of its own. */
export const SMALL_BYTES = 1024 * 1024;

/** What comes out of it may be so much: it is written in pieces, each of which blocks the agent for some milliseconds. */
const MAX_UNPACKED_BYTES = 8 * 1024 * 1024;
const MAX_ENTRIES = 1000;

/**
 * Unpacks a small artifact in the agent's own process, when all of it has come and was checked. A process of its own takes
 * more time to start than all the rest of a small deploy (bench/, small-release).
 *
 * Here it can only succeed: what is wrong with an artifact, too big or merely odd is taken away again and given to a process
 * from its first byte, and what that says counts. So bad archives have one judge, and that one can be killed.
 */
export class SmallUnpacker implements Unpacker {
  readonly #order: UnpackOrder;
  readonly #startProcess: () => Promise<Unpacker>;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #entries = 0;
  #process: Unpacker | undefined;
  /** What is going on here, or being started. */
  #work: Promise<unknown> = Promise.resolve();
  #isKilled = false;
  readonly #end = Promise.withResolvers<Unpacked>();

  /** `startProcess` is called at most once, with the staging directory empty. */
  constructor(order: UnpackOrder, startProcess: () => Promise<Unpacker>) {
    this.#order = order;
    this.#startProcess = startProcess;
    // Told to whoever asks for the outcome; nobody need ask.
    this.#end.promise.catch(() => undefined);
  }

  get entries(): number {
    return this.#process?.entries ?? this.#entries;
  }

  async write(bytes: Buffer): Promise<boolean> {
    if (this.#process) return this.#process.write(bytes);
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    return this.#bytes <= SMALL_BYTES || (await this.#during(this.#handOver()));
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
    this.#isKilled = true;
    await this.#work.catch(() => undefined);
    await this.#process?.kill();
    this.#end.reject(killed());
  }

  #during<T>(work: Promise<T>): Promise<T> {
    this.#work = work;
    return work;
  }

  /** Undefined where it did not go through. */
  async #unpackHere(): Promise<Unpacked | undefined> {
    const { limits } = this.#order;
    const max_bytes = Math.min(limits.max_bytes, MAX_UNPACKED_BYTES);
    const max_entries = Math.min(limits.max_entries, MAX_ENTRIES);
    const order = { ...this.#order, limits: { ...limits, max_bytes, max_entries } };
    const onProgress = (entries: number) => {
      if (this.#isKilled) throw killed();
      this.#entries = entries;
    };
    try {
      return await unpackArtifact(each(this.#chunks), order, { prepare: closedContent, onProgress });
    } catch {
      return undefined;
    }
  }

  /** Lets a process do all of it. False: that has ended before it had taken what is there so far. */
  async #handOver(): Promise<boolean> {
    const { stagingDir } = this.#order;
    await removeTree(join(stagingDir, CONTENT_DIR));
    await rm(join(stagingDir, TREE_FILE), { force: true });
    if (this.#isKilled) throw killed();
    const process = await this.#startProcess();
    this.#process = process;
    process.outcome().then(this.#end.resolve, this.#end.reject);
    const chunks = this.#chunks;
    this.#chunks = [];
    for (const chunk of chunks) {
      if (this.#isKilled || !(await process.write(chunk))) return false;
    }
    return true;
  }
}

function killed(): DeployError {
  return new DeployError('INTERNAL', {}, { cause: new Error('the unpacking was ended') });
}

async function* each(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}
