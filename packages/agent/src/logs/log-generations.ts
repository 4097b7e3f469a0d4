import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { DeployError } from '@sampan/shared/errors.ts';
import { identityAt, type OpenLog, openLog } from './open-log.ts';

const POLL_MS = 1000;
/** Files that wait to be read at the most, while a slow reader is still at an older one. Past that, rotations in between are skipped. */
const MAX_WAITING = 32;

/**
 * The files that one path names one after the other, each opened as soon as it appears, so that none is missed
 * while an older one is still being read. Watches the directory, and looks once a second in any case: inotify may
 * be exhausted, absent on the file system, or bound to a directory that was itself replaced.
 *
 * INVARIANTS: the first of `#files` is the one being read; all of `#files` are open and different; `close` closes all.
 */
export class LogGenerations {
  readonly #path: string;
  readonly #files: OpenLog[];
  readonly #poll: NodeJS.Timeout;
  #watcher: FSWatcher | undefined;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #closed = false;
  #failure: unknown;
  #changed = Promise.withResolvers<void>();

  /** Takes over `current`, an open log that `path` named when it was opened. */
  constructor(path: string, current: OpenLog) {
    this.#path = path;
    this.#files = [current];
    this.#poll = setInterval(() => this.#look(), POLL_MS);
    this.#watcher = this.#watch();
    // It may have been rotated between its opening and this moment.
    this.#look();
  }

  /** Resolves when the file may have grown or been replaced since this was last called; at once if that happened meanwhile. */
  async changed(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#changed.promise, aborted.promise]);
      this.#changed = Promise.withResolvers<void>();
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Whether the writer has left the file being read for good: the next one has content, or was itself replaced.
   * Until then the old file may still grow, as between logrotate's rename and the signal that makes a program reopen.
   * @throws why the path cannot be followed any further (LOG_REFUSED, DISK_ERROR), once nothing opened before is left.
   */
  async isSuperseded(): Promise<boolean> {
    const [, next, afterNext] = this.#files;
    if (next) return afterNext !== undefined || (await next.handle.stat()).size > 0;
    if (this.#failure !== undefined) throw this.#failure;
    return false;
  }

  /** Closes the file being read and goes on to the next one. Only after `isSuperseded`. */
  async advance(): Promise<OpenLog> {
    const [old, next] = this.#files;
    if (!old || !next) throw new Error('advance() without a next file');
    this.#files.shift();
    await old.handle.close();
    // There is room for one more.
    this.#look();
    return next;
  }

  /** Closes every descriptor: files, watcher, timer. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#poll);
    this.#watcher?.close();
    await this.#looking;
    await Promise.all(this.#files.map((file) => file.handle.close()));
  }

  #watch(): FSWatcher | undefined {
    const name = basename(this.#path);
    try {
      const watcher = watch(dirname(this.#path), (event, filename) => {
        if (filename !== null && filename !== name) return;
        if (event === 'rename') this.#look();
        else this.#changed.resolve();
      });
      return watcher.on('error', () => watcher.close());
    } catch {
      // No watch to be had: the poll alone finds every change, within a second.
      return undefined;
    }
  }

  #look(): void {
    this.#lookAgain = true;
    this.#looking ??= this.#openNew()
      .catch((error) => {
        // Gone again between the look and the opening: the next look finds what comes.
        if (!DeployError.is(error, 'LOG_NOT_FOUND')) this.#failure = error;
      })
      .finally(() => {
        this.#looking = undefined;
        this.#changed.resolve();
      });
  }

  async #openNew(): Promise<void> {
    while (this.#lookAgain && !this.#closed) {
      this.#lookAgain = false;
      const identity = await identityAt(this.#path);
      if (identity === undefined || this.#isOpen(identity) || this.#files.length > MAX_WAITING) continue;
      const log = await openLog(this.#path);
      if (this.#isOpen(log.identity)) await log.handle.close();
      else this.#files.push(log);
    }
  }

  #isOpen(identity: string): boolean {
    return this.#files.some((file) => file.identity === identity);
  }
}
