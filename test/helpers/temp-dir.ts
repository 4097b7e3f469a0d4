import { accessSync, constants, mkdtempSync, statfsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const ENOUGH_BYTES = 2 * 1024 ** 3;

/** Memory-backed where the machine has it: tests unpack thousands of files. Containers often have 64 MB of it, too little. */
const root = (() => {
  try {
    accessSync('/dev/shm', constants.W_OK);
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize >= ENOUGH_BYTES ? '/dev/shm' : tmpdir();
  } catch {
    return tmpdir();
  }
})();

/** A directory of this test's own, removed when the test has finished. */
export function tempDir(): string {
  const dir = keptTempDir();
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** The same, for set-up hooks: whoever calls removes it. */
export function keptTempDir(): string {
  return mkdtempSync(join(root, 'sampan-test-'));
}
