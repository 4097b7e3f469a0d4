import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, statfs, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { filesystemOf } from './machine.ts';
import { hasPrivateMounts } from './private-mounts.ts';

const MEMORY = '/dev/shm';
const run = promisify(execFile);

/** A place to work in. Disposing of it removes all that is in it. */
export interface Volume extends AsyncDisposable {
  dir: string;
  /** For people: what kind of file system, and why not a better one. */
  description: string;
}

/**
 * The place for the benchmark's files: below `dir` where a person asked for that; else a journaled ext4 on an image in
 * memory; where that cannot be had (not root, no loop device), a tmpfs.
 */
export async function openVolume(dir: string | undefined, bytes: number): Promise<Volume> {
  if (dir !== undefined) {
    await mkdir(dir, { recursive: true });
    return directoryIn(dir, '');
  }
  const memory = await hasRoom(MEMORY, bytes);
  const place = memory ? MEMORY : tmpdir();
  if (!hasPrivateMounts()) return directoryIn(place, ', no ext4 of its own: that needs root and unshare(1)');
  try {
    return await loopVolume(place, bytes);
  } catch (error) {
    return directoryIn(place, `, no ext4 of its own: ${(error as Error).message.trim().split('\n').at(-1)}`);
  }
}

async function directoryIn(parent: string, why: string): Promise<Volume> {
  const dir = await mkdtemp(join(parent, 'sampan-bench-'));
  return {
    dir,
    description: `${filesystemOf(dir)}${why}`,
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}

/**
 * The mount is seen by this process and its children only (see private-mounts.ts), and the image has no name once it is
 * mounted: when all of them have ended, however they did, the kernel frees both.
 */
async function loopVolume(parent: string, bytes: number): Promise<Volume> {
  const dir = await mkdtemp(join(parent, 'sampan-bench-'));
  const image = join(dir, 'image');
  const at = join(dir, 'ext4');
  try {
    await mkdir(at);
    await writeFile(image, '');
    await truncate(image, bytes);
    // Nothing is left to be initialised in the background while we measure.
    await run('mkfs.ext4', ['-q', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image]);
    await run('mount', ['-o', 'loop', image, at]);
    await unlink(image);
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
  return {
    dir: at,
    description: `${filesystemOf(at)}, loop-mounted from ${filesystemOf(parent).split(' ')[0]}`,
    async [Symbol.asyncDispose]() {
      await run('umount', ['--lazy', at]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function hasRoom(path: string, bytes: number): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize > bytes;
  } catch {
    return false;
  }
}
