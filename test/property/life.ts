import { AsyncLocalStorage } from 'node:async_hooks';
import childProcess, { type ChildProcess } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import fs from 'node:fs';
import promises, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { promisify } from 'node:util';

/** When a life is to end: at its nth change of the disk, before or after that took effect. */
export interface Death {
  atCall: number;
  when: 'before' | 'after';
  /** Counted from now on, or from the first symlink that is made: from a flip. */
  from: 'now' | 'flip';
}

/** What changes the disk, or makes a change durable. These are counted. */
const CHANGES = ['open', 'rename', 'symlink', 'mkdir', 'rm'] as const;
const HANDLE_CHANGES = ['appendFile', 'writeFile', 'sync', 'datasync'] as const;
/** What only looks is not counted, but ends as well. */
const LOOKS = ['access', 'lstat', 'readFile', 'readdir', 'readlink', 'realpath', 'stat', 'statfs'] as const;

const current = new AsyncLocalStorage<Life>();

/**
 * A life of an agent inside this process, which ends as by kill -9: at one call nothing that it has begun goes on. Its calls
 * are never answered, its descriptors are closed, its children lose their input; what it has in memory is reached by nobody.
 */
export class Life {
  readonly #over = Promise.withResolvers<void>();
  readonly #handles = new Set<FileHandle>();
  readonly #children = new Set<ChildProcess>();
  #isOver = false;
  #death: Death | undefined;

  /** Everything that `work` starts belongs to this life. Rejects with LifeIsOver if that ends before. */
  run<T>(work: () => Promise<T>): Promise<T> {
    patch();
    const ended = this.#over.promise.then(() => Promise.reject(new LifeIsOver()));
    return Promise.race([current.run(this, work), ended]);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Undefined: it is to go on. */
  endAt(death: Death | undefined): void {
    this.#death = death && { ...death };
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#over.resolve();
    for (const handle of this.#handles) void handle.close().catch(() => undefined);
    for (const child of this.#children) child.stdin?.destroy();
  }

  /** A call that changes something, or only looks. */
  async call<T>(name: string, isChange: boolean, make: () => Promise<T>): Promise<T> {
    if (this.#isOver) return await never();
    if (this.#death && name === 'symlink') this.#death.from = 'now';
    const isCounted = isChange && this.#death?.from === 'now';
    const isLast = isCounted && this.#death !== undefined && --this.#death.atCall === 0;
    if (isLast && this.#death?.when === 'before') this.end();
    if (this.#isOver) return await never();
    const answer = await Promise.allSettled([make()]);
    if (isLast) this.end();
    if (this.#isOver) return await never();
    const [settled] = answer;
    if (settled.status === 'rejected') throw settled.reason;
    return settled.value;
  }

  opened(handle: FileHandle): void {
    if (this.#isOver) void handle.close();
    this.#handles.add(handle);
    (handle as FileHandle & EventEmitter).once('close', () => this.#handles.delete(handle));
  }

  spawned(child: ChildProcess): void {
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
  }
}

export class LifeIsOver extends Error {
  constructor() {
    super('the life has ended');
  }
}

let isPatched = false;

type Calls = Record<string, (...args: unknown[]) => Promise<unknown>>;

/** From now on the calls of lives pass by their life; all others go as they always did. */
function patch(): void {
  if (isPatched) return;
  isPatched = true;
  const calls = promises as unknown as Calls;
  guardHandles(calls);
  for (const name of CHANGES) guard(calls, name, true);
  for (const name of LOOKS) guard(calls, name, false);
  const { fsync } = fs;
  const fsyncOf = promisify(fsync);
  fs.fsync = ((fd: number, done: (error: Error | null) => void) => {
    const make = () => fsyncOf(fd);
    const made = current.getStore()?.call('fsync', true, make) ?? make();
    made.then(() => done(null), done);
  }) as typeof fsync;
  const { spawn } = childProcess;
  childProcess.spawn = function spawnInLife(...args: unknown[]) {
    const life = current.getStore();
    if (life?.isOver) throw new LifeIsOver();
    const child = (spawn as (...all: unknown[]) => ChildProcess)(...args);
    life?.spawned(child);
    return child;
  } as typeof spawn;
  syncBuiltinESMExports();
}

function guard(calls: Calls, name: string, isChange: boolean): void {
  const original = calls[name] as Calls[string];
  calls[name] = function inLife(this: unknown, ...args: unknown[]) {
    const make = () => original.apply(this, args);
    return current.getStore()?.call(name, isChange, make) ?? make();
  };
}

/** The methods of handles are those of one class, which the first handle shows; but each has a `close` of its own. */
function guardHandles(calls: Calls): void {
  const open = calls.open as Calls[string];
  let isGuarded = false;
  calls.open = async (...args) => {
    const handle = (await open(...args)) as FileHandle;
    if (!isGuarded) {
      isGuarded = true;
      const methods = Object.getPrototypeOf(handle) as Calls;
      for (const name of HANDLE_CHANGES) guard(methods, name, true);
    }
    current.getStore()?.opened(handle);
    return handle;
  };
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
