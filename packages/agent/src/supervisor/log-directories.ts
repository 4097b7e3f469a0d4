import type { Stats } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '@sampan/shared/errors.ts';
import { diskError } from '../host/disk-error.ts';
import { makeDirectory } from '../host/durable-file.ts';
import type { LogFile } from './check-processes.ts';
import { refusal } from './refuse.ts';

/**
 * Whether the log files lie below a log root on this disk too: supervisord opens them as root, and would follow a
 * link that somebody else put there, or wait at a FIFO for ever.
 * @throws DeployError PROGRAM_CONFIG_REFUSED
 */
export async function assertLogFilesSafe(logFiles: readonly LogFile[], logRoots: readonly string[]): Promise<void> {
  for (const { where, path } of logFiles) {
    const root = logRoots.find((candidate) => path.startsWith(join(candidate, '/')));
    if (root === undefined) continue;
    const realDir = await realPathOfExisting(dirname(path));
    const realRoot = await realPathOfExisting(root);
    if (!join(realDir, '/').startsWith(join(realRoot, '/')) && !join(realRoot, '/').startsWith(join(realDir, '/'))) {
      throw refusal(where, `${path}, which leads to ${realDir}`, `a directory that stays below ${root}`);
    }
    const kind = await kindOf(path);
    if (kind !== undefined) throw refusal(where, `${path}, which is ${kind}`, 'a regular file, or none yet');
  }
}

/** Creates the directories that the log files need, for root alone to write: what supervisord writes there, it writes as root. */
export async function makeLogDirectories(logFiles: readonly LogFile[]): Promise<void> {
  for (const dir of new Set(logFiles.map(({ path }) => dirname(path)))) await makeDirectory(dir);
}

/** The real path of `path`, or of its nearest parent that exists. */
async function realPathOfExisting(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT' && !(await isLink(path))) return realPathOfExisting(dirname(path));
    throw diskError(cause, { path, operation: 'realpath' });
  }
}

async function isLink(path: string): Promise<boolean> {
  return (await statOf(path))?.isSymbolicLink() ?? false;
}

async function kindOf(path: string): Promise<string | undefined> {
  const stats = await statOf(path);
  if (!stats || stats.isFile()) return undefined;
  if (stats.isSymbolicLink()) return 'a symlink';
  return stats.isDirectory() ? 'a directory' : 'a device or FIFO';
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw diskError(cause, { path, operation: 'lstat' });
  }
}
