import { rmdir } from 'node:fs/promises';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import { runCommand } from './run-command.ts';

const DEADLINE_MS = 30 * 60_000;

/**
 * Removes a path and all below it; nothing there is fine. By coreutils' rm, which walks by open directories: what it removes
 * belongs to the projects' users, and Node's rm walks by path, so that one of them who swaps a directory for a symlink
 * meanwhile would have us, as root, remove what lies behind it.
 * @throws DISK_ERROR.
 */
export async function removeTree(path: string): Promise<void> {
  if (await isGone(path)) return;
  const argv = ['rm', '-rf', '--one-file-system', '--', path];
  const result = await runCommand({ argv, timeoutMs: DEADLINE_MS }, new AbortController().signal);
  if (result.ok) return;
  throw new DeployError('DISK_ERROR', { path, operation: 'rm', reason: `${result.ending} ${result.output}`.trim() });
}

/** What is empty, or not there, needs no process: it takes 5 ms of processor time to start one. */
async function isGone(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    return systemCode(error) === 'ENOENT';
  }
}
