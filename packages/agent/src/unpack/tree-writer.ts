import { closeSync, constants, copyFileSync, futimesSync, linkSync, lstatSync, openSync, writeSync } from 'node:fs';
import { systemCode } from '@sampan/shared/errors.ts';
import type { ContentDir } from './content-dir.ts';
import { corrupt } from './corrupt.ts';
import { entryPath, hardLinkTarget, parentOf } from './entry-path.ts';
import { isAllowedAbsolute } from './link-refusal.ts';
import type { Meter } from './meter.ts';
import { refuseEntry } from './refuse-entry.ts';
import { DEFAULT_DIRECTORY_MODE, StandingTree } from './standing-tree.ts';
import type { TarEntry } from './tar-header.ts';
import type { EntrySink } from './tar-reader.ts';
import type { TreeLog } from './tree-log.ts';
import type { UnpackOrder } from './unpack-order.ts';

const CREATE = constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | constants.O_WRONLY;
const DEFAULT_FILE_MODE = 0o644;
/** Of an archive's modes these bits are kept: no setuid, setgid, sticky, nor writing for others than the owner. */
const KEPT_MODE = 0o755;
const MAX_MTIME_MS = 0x7fffffff * 1000;

/** Where entries are written to, and what holds them in bounds. */
export interface TreeParts {
  order: UnpackOrder;
  content: ContentDir;
  log: TreeLog;
  meter: Meter;
}

/** Writes entries below `content`, which is empty and ours alone. Symlinks are only remembered. */
export class TreeWriter implements EntrySink, Disposable {
  readonly tree: StandingTree;
  readonly #order: UnpackOrder;
  readonly #content: ContentDir;
  readonly #log: TreeLog;
  readonly #meter: Meter;
  #open: { fd: number; path: string; mode: number; size: number; mtime: number } | undefined;
  readonly #now = Math.floor(Date.now() / 1000);

  constructor({ order, content, log, meter }: TreeParts) {
    this.#order = order;
    this.#content = content;
    this.#log = log;
    this.#meter = meter;
    this.tree = new StandingTree(content, meter, (path) => log.dropFile(path));
  }

  entry(entry: TarEntry): void {
    this.tree.current = entry.path;
    this.#meter.announce(entry.size, entry.path);
    const path = entryPath(entry.path, this.#order.limits);
    if (entry.type === 'directory') this.#directory(path, entry);
    else this.#inside(path, entry);
  }

  body(bytes: Buffer): void {
    const { fd = -1 } = this.#open ?? {};
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
  }

  bodyEnd(): void {
    if (!this.#open) return;
    const { fd, path, mode, size, mtime } = this.#open;
    this.#content.adopt(fd, mode);
    futimesSync(fd, mtime, mtime);
    this.#open = undefined;
    closeSync(fd);
    this.#wrote(path, { mode, size, mtime });
  }

  /** Closes what a failure left open. */
  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.#open.fd);
    this.#open = undefined;
  }

  #directory(path: string, { mode = DEFAULT_DIRECTORY_MODE, mtimeMs }: TarEntry): void {
    this.tree.setDirectory(path, { mode: (mode & KEPT_MODE) | 0o700, mtime: secondsOf(mtimeMs) });
  }

  #inside(path: string, entry: TarEntry): void {
    if (path === '') throw refuseEntry(entry.path, 'path_invalid', 'no name');
    this.#meter.addEntry(entry.path);
    this.tree.enter(parentOf(path));
    if (entry.type === 'symlink') this.#symlink(path, entry);
    else if (entry.type === 'link') this.#hardLink(path, entry);
    else this.#file(path, entry);
  }

  #file(path: string, { size, mode: said = DEFAULT_FILE_MODE, mtimeMs }: TarEntry): void {
    const mode = (said & KEPT_MODE) | 0o600;
    const fd = this.tree.inPlaceOf(path, () => openSync(this.#content.at(path), CREATE, mode));
    this.#open = { fd, path, mode, size, mtime: secondsOf(mtimeMs) ?? this.#now };
  }

  #wrote(path: string, { mode, size, mtime }: { mode: number; size: number; mtime: number }): void {
    this.tree.files++;
    this.#log.add([path, 'f', mode, size, Math.floor(mtime)]);
  }

  #symlink(path: string, { path: entry, linkpath, mtimeMs }: TarEntry): void {
    if (linkpath.startsWith('/') && !isAllowedAbsolute(linkpath, this.#order.allowLinksTo)) {
      throw refuseEntry(entry, 'link_absolute', linkpath);
    }
    this.tree.setLink(path, { target: linkpath, mtime: secondsOf(mtimeMs) });
  }

  #hardLink(path: string, { path: entry, linkpath }: TarEntry): void {
    const target = hardLinkTarget(entry, linkpath);
    for (let above = parentOf(target); above !== ''; above = parentOf(above)) this.tree.assertNoLink(above);
    const link = this.tree.links.get(target);
    if (link) {
      // GNU tar packs a symlink of two names like this.
      this.tree.setLink(path, link);
      return;
    }
    if (this.tree.directories.has(target)) {
      throw refuseEntry(entry, 'path_invalid', `hard link to the directory ${linkpath}`);
    }
    if (target === path) return;
    this.tree.inPlaceOf(path, () => this.#linkOrCopy(target, path));
    const { mode, size, mtimeMs } = lstatSync(this.#content.at(path));
    this.#wrote(path, { mode: mode & 0o7777, size, mtime: mtimeMs / 1000 });
  }

  #linkOrCopy(target: string, path: string): void {
    const [from, to] = [this.#content.at(target), this.#content.at(path)];
    try {
      linkSync(from, to);
    } catch (error) {
      const reason = systemCode(error);
      if (reason === 'ENOENT' || reason === 'ENOTDIR') {
        throw corrupt(`hard link ${path} names ${target}, which does not come before it`, error);
      }
      // Too many names for one file, or a file system that gives it no second.
      if (reason !== 'EMLINK' && reason !== 'EPERM' && reason !== 'ENOTSUP') throw error;
      const { size, mode } = lstatSync(from);
      this.#meter.addBytes(size, Infinity);
      copyFileSync(from, to, constants.COPYFILE_EXCL);
      this.#content.adopt(to, mode & 0o7777);
    }
  }
}

/** Times that not every file system can store are as if they were not said. */
function secondsOf(mtimeMs: number | undefined): number | undefined {
  return mtimeMs !== undefined && mtimeMs >= 0 && mtimeMs <= MAX_MTIME_MS ? mtimeMs / 1000 : undefined;
}
