import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import { fromWire } from '@sampan/shared/wire-error.ts';
import type { Unpacked, UnpackOrder, UnpackReport } from '../unpack/unpack-order.ts';
import { unpackProgram } from './unpack-program.ts';
import type { Unpacker } from './unpacker.ts';

/** Unasked, V8 and malloc take more memory than they need: 20 MB of 90, and none of the speed. */
const NODE_FLAGS = ['--max-semi-space-size=2', '--expose-gc'];
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '1' };
const MAX_STDERR_CHARACTERS = 4096;

/**
 * An unpacker process (see unpack/main.ts) that takes an artifact's bytes as they come. It ends by itself when it has
 * reported; whoever started it calls `kill` in every other case.
 */
export class UnpackProcess implements Unpacker {
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #closed: Promise<void>;
  #isOpen = true;
  #final: Exclude<UnpackReport, { event: 'progress' }> | undefined;
  #stderr = '';
  #ending = '';
  #entries = 0;

  /**
   * Starts a process; it writes nothing before it gets its first bytes.
   * @throws DISK_ERROR when the system gives us none.
   */
  static async start(order: UnpackOrder): Promise<UnpackProcess> {
    const { path, env } = unpackProgram('process');
    const child = spawn(process.execPath, [...NODE_FLAGS, path, JSON.stringify(order)], {
      cwd: order.stagingDir,
      env: { ...ENVIRONMENT, ...env },
      // A signal to the agent's group, as from Ctrl-C, is for the agent to answer.
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    });
    try {
      await once(child, 'spawn');
    } catch (cause) {
      const reason = systemCode(cause) ?? 'unknown';
      throw new DeployError('DISK_ERROR', { path, operation: 'spawn', reason }, { cause });
    }
    return new UnpackProcess(child);
  }

  private constructor(child: ChildProcess) {
    const [input, , errors, reports] = child.stdio;
    this.#child = child;
    this.#input = input as Writable;
    // It may end while bytes are on their way: how it ended says more than a broken pipe.
    this.#input.on('error', () => this.#input.destroy());
    readLines(reports as Readable, (line) => this.#take(JSON.parse(line) as UnpackReport));
    (errors as Readable).setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_CHARACTERS);
    });
    this.#closed = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#isOpen = false;
        this.#ending = signal ?? `exit ${code}`;
        resolve();
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get entries(): number {
    return this.#entries;
  }

  async write(bytes: Buffer): Promise<boolean> {
    if (this.#isOpen && !this.#input.destroyed && this.#input.write(bytes)) return true;
    if (this.#isOpen && !this.#input.destroyed) await Promise.race([drained(this.#input), this.#closed]);
    return this.#isOpen && !this.#input.destroyed;
  }

  async finish(): Promise<Unpacked> {
    this.#input.end();
    return this.outcome();
  }

  async outcome(): Promise<Unpacked> {
    await this.#closed;
    if (this.#final?.event === 'done') return this.#final.unpacked;
    if (this.#final && this.#final.error.code !== 'INTERNAL') throw fromWire(this.#final.error);
    // Its own text is for the log alone.
    const cause = new Error(`the unpacker failed: ${this.#ending} ${this.#stderr}`);
    throw new DeployError('INTERNAL', {}, { cause });
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  #take(report: UnpackReport): void {
    if (report.event === 'progress') this.#entries = report.entries;
    else this.#final = report;
  }
}

function readLines(stream: Readable, take: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
}

/** Resolves when a stream takes more, or never will. */
function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}
