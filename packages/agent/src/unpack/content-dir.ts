import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lchownSync,
  mkdirSync,
  openSync,
  readFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Owner } from '../host/owner.ts';
import { CONTENT_DIR, type UnpackOrder } from './unpack-order.ts';

const CLOSED_MODE = 0o700;

/** `content/`, as whoever writes into it reaches it. */
export interface ContentDir extends Disposable {
  /** The path of what is at `path` in it; '' is the directory itself. */
  at(path: string): string;
  /** Gives what was just made its owner and its mode: a file by its descriptor, a directory or, without a mode, a symlink by its path. */
  adopt(made: number | string, mode?: number): void;
  /** All of it stands: it may be seen, and has this mode. */
  open(mode: number): void;
}

/**
 * Makes `content/`, goes into it, and becomes the owner for good, where that is somebody else: entries belong to him as
 * they are made, and nothing in an archive can reach what he cannot. From here on only relative paths and what is open
 * are used, for he need not be allowed into the directories above. For a process that does nothing else; its umask becomes 0.
 * @throws EPERM where this process may not become him.
 */
export function enterContent({ stagingDir, owner }: UnpackOrder): ContentDir {
  process.umask(0);
  const dir = join(stagingDir, CONTENT_DIR);
  mkdirSync(dir, CLOSED_MODE);
  if (owner !== null) chownSync(dir, owner.uid, owner.gid);
  process.chdir(dir);
  if (owner !== null) become(owner);
  return {
    at: (path) => path || '.',
    adopt: () => undefined,
    open: (mode) => chmodSync('.', mode),
    [Symbol.dispose]: () => undefined,
  };
}

/**
 * Makes `content/` for a thread of a process that stays where and who it is. It is reached by its descriptor, whatever
 * becomes of the directories above; until `open`, nobody else can enter it, so what is given to its owner one by one
 * leads nowhere that he could have changed.
 * @throws EPERM where this process may not give files away.
 */
export function closedContent({ stagingDir, owner }: UnpackOrder): ContentDir {
  const dir = join(stagingDir, CONTENT_DIR);
  mkdirSync(dir, CLOSED_MODE);
  const fd = openSync(dir, constants.O_DIRECTORY | constants.O_NOFOLLOW);
  const root = `/proc/self/fd/${fd}`;
  return {
    at: (path) => (path === '' ? root : `${root}/${path}`),
    adopt: (made, mode) => {
      if (owner !== null) give(made, owner);
      if (mode === undefined || (mode & umask()) === 0) return;
      if (typeof made === 'number') fchmodSync(made, mode);
      else chmodSync(made, mode);
    },
    open: (mode) => {
      if (owner !== null) give(fd, owner);
      fchmodSync(fd, mode);
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

let known: number | undefined;

/** What this process takes from the modes of all that it makes. Not by umask(2), which says it only by changing it, for all threads. */
function umask(): number {
  known ??= Number.parseInt(/^Umask:\t(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '777', 8);
  return known;
}

function give(made: number | string, { uid, gid }: Owner): void {
  if (typeof made === 'number') fchownSync(made, uid, gid);
  else lchownSync(made, uid, gid);
}

function become({ uid, gid }: Owner): void {
  if (process.geteuid?.() === uid && process.getegid?.() === gid) return;
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}
