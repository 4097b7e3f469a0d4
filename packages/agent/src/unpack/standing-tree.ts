import { chmodSync, mkdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { systemCode } from '@sampan/shared/errors.ts';
import type { ContentDir } from './content-dir.ts';
import { parentOf } from './entry-path.ts';
import type { Meter } from './meter.ts';
import { refuseEntry } from './refuse-entry.ts';

/** A directory of the tree; `mtime` in seconds where an entry said one. */
export interface Directory {
  mode: number;
  mtime: number | undefined;
}

/** A symlink that will be made when all else stands. */
export interface PendingLink {
  target: string;
  mtime: number | undefined;
}

/** What an archive gets that does not say it. */
export const DEFAULT_DIRECTORY_MODE = 0o755;

/**
 * The tree in `content/`, as far as it stands, and its rules on who takes whose place: the last entry of a
 * path wins, as with GNU tar, but nothing replaces a symlink except another, and nothing a directory that is in use.
 *
 * INVARIANTS: no symlink is on the disk, so no path can lead through one: they are remembered, and made by finish-tree.ts;
 * a directory is in `directories` exactly if it is on the disk; no path is in both `directories` and `links`.
 */
export class StandingTree {
  readonly directories = new Map<string, Directory>([['', { mode: DEFAULT_DIRECTORY_MODE, mtime: undefined }]]);
  readonly links = new Map<string, PendingLink>();
  /** Files, under all their names. */
  files = 0;
  /** The entry that is being written, as the archive names it. */
  current = '';
  readonly #content: ContentDir;
  readonly #meter: Meter;
  readonly #onFileGone: (path: string) => void;

  constructor(content: ContentDir, meter: Meter, onFileGone: (path: string) => void) {
    this.#content = content;
    this.#meter = meter;
    this.#onFileGone = onFileGone;
  }

  /** What stands and what is remembered, less the release itself. */
  get entries(): number {
    return this.files + this.links.size + this.directories.size - 1;
  }

  /** Makes sure that the directory at `path` stands, whether or not the archive has an entry for it. */
  enter(path: string): void {
    if (this.directories.has(path)) return;
    this.enter(parentOf(path));
    this.assertNoLink(path);
    try {
      this.#makeDirectory(path, DEFAULT_DIRECTORY_MODE);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') throw refuseEntry(this.current, 'path_invalid', `${path} is a file`);
      throw error;
    }
  }

  /** Makes the directory at `path`, or gives the one that stands there this mode and time. */
  setDirectory(path: string, { mode, mtime }: Directory): void {
    const known = this.directories.get(path);
    if (known === undefined) {
      this.enter(parentOf(path));
      this.inPlaceOf(path, () => this.#makeDirectory(path, mode));
    } else if (known.mode !== mode && path !== '') {
      chmodSync(this.#content.at(path), mode);
    }
    this.directories.set(path, { mode, mtime });
  }

  setLink(path: string, link: PendingLink): void {
    if (!this.links.has(path)) this.#clear(path);
    this.links.set(path, link);
  }

  /**
   * Makes a file or directory at `path`; where that is taken, clears it first. Never writes into what stands there: it may
   * have a second name.
   */
  inPlaceOf<T>(path: string, make: () => T): T {
    this.assertNoLink(path);
    try {
      return make();
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
      this.#clear(path);
      return make();
    }
  }

  /** A path that is or leads through a symlink is how archives write to elsewhere; honest ones do not have it. */
  assertNoLink(path: string): void {
    if (this.links.has(path)) throw refuseEntry(this.current, 'path_through_link', path);
  }

  #makeDirectory(path: string, mode: number): void {
    this.#meter.addEntry(this.current);
    mkdirSync(this.#content.at(path), mode);
    this.#content.adopt(this.#content.at(path), mode);
    this.directories.set(path, { mode, mtime: undefined });
  }

  /** Removes the file or the empty directory at `path`, if there is one. */
  #clear(path: string): void {
    if (this.directories.has(path)) this.#clearDirectory(path);
    else this.#clearFile(path);
  }

  #clearFile(path: string): void {
    try {
      unlinkSync(this.#content.at(path));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return;
      throw error;
    }
    this.files--;
    this.#onFileGone(path);
  }

  #clearDirectory(path: string): void {
    const inUse = refuseEntry(this.current, 'path_invalid', `${path} is a directory that is not empty`);
    if ([...this.links.keys()].some((link) => link.startsWith(`${path}/`))) throw inUse;
    try {
      rmdirSync(this.#content.at(path));
    } catch (error) {
      throw systemCode(error) === 'ENOTEMPTY' ? inUse : error;
    }
    this.directories.delete(path);
  }
}
