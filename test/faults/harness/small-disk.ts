import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keptTempDir } from '../../helpers/temp-dir.ts';

/** A file system of its own in memory, that can be made as full as one likes. */
export interface SmallDisk {
  dir: string;
  free(): { bytes: number; inodes: number };
  /** Leaves just so many bytes, in whole pages. */
  leaveBytes(bytes: number): void;
  leaveInodes(inodes: number): void;
  /** Gives back what was taken. */
  relieve(): void;
  remove(): void;
}

const PAGE = 4096;

export function mountSmallDisk({ bytes, inodes }: { bytes: number; inodes: number }): SmallDisk {
  const dir = keptTempDir();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},nr_inodes=${inodes},mode=755`, 'sampan-test', dir]);
  const filler = join(dir, 'filler');
  const free = () => {
    const { bavail, bsize, ffree } = statfsSync(dir);
    return { bytes: bavail * bsize, inodes: ffree };
  };
  return {
    dir,
    free,
    leaveBytes(left) {
      const pages = Math.floor((free().bytes - left) / PAGE);
      if (pages > 0) execFileSync('mkdir', ['-p', filler]);
      if (pages > 0) execFileSync('fallocate', ['-l', String(pages * PAGE), join(filler, 'bytes')]);
    },
    leaveInodes(left) {
      execFileSync('mkdir', ['-p', filler]);
      for (let n = free().inodes - left; n > 0; n -= 1) writeFileSync(join(filler, String(n)), '');
    },
    relieve: () => rmSync(filler, { recursive: true, force: true }),
    remove() {
      unmount(dir);
      rmSync(dir, { recursive: true });
    },
  };
}

/** From now on nothing can be changed below `dir`. Returns how to undo it. */
export function makeReadOnly(dir: string): () => void {
  execFileSync('mount', ['--bind', dir, dir]);
  execFileSync('mount', ['-o', 'remount,bind,ro', dir]);
  return () => unmount(dir);
}

/** Lazily: what is still open somewhere keeps nobody. */
export function unmount(dir: string): void {
  execFileSync('umount', ['--lazy', dir]);
}
