import { closeSync, fchownSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '@sampan/shared/errors.ts';

/**
 * Makes an empty file, and its directory, where there is none: for this user alone, or, made by root in a directory of
 * somebody else (the service's, most likely), for that one. What is there stays as it is.
 */
export function createPrivately(file: string): void {
  const directory = dirname(file);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  let descriptor: number;
  try {
    descriptor = openSync(file, 'wx', 0o600);
  } catch (error) {
    // One that exists must not be opened and closed here: that would drop a lock which this process has on it already.
    if (systemCode(error) !== 'EEXIST') throw error;
    return;
  }
  try {
    const { uid, gid } = statSync(directory);
    if (process.getuid?.() === 0 && uid !== 0) fchownSync(descriptor, uid, gid);
  } finally {
    closeSync(descriptor);
  }
}
