import { statfs } from 'node:fs/promises';
import { DeployError } from '@sampan/shared/errors.ts';
import { diskError } from './disk-error.ts';

/** A release is at least its directory, a file in it, and what is written down of it. */
const NEEDED_INODES = 8;

/**
 * Makes sure that the file system of `path` has room for `neededBytes` more, counting what root alone may use as taken.
 * File systems that do not count inodes (they say 0 of 0) are not asked for them.
 * @throws DISK_FULL, INODES_EXHAUSTED, or DISK_ERROR when it cannot be asked.
 */
export async function assertSpace(path: string, neededBytes: number): Promise<void> {
  const { bavail, bsize, files, ffree } = await statfs(path).catch((cause) => {
    throw diskError(cause, { path, operation: 'statfs' });
  });
  const freeBytes = bavail * bsize;
  if (freeBytes < neededBytes) throw new DeployError('DISK_FULL', { path, neededBytes, freeBytes });
  if (files > 0 && ffree < NEEDED_INODES) throw new DeployError('INODES_EXHAUSTED', { path });
}
