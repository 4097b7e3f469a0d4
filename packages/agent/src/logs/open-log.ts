import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';

/** A log file held open: it stays the same file whatever its path comes to name. */
export interface OpenLog {
  handle: FileHandle;
  /** Device and inode: no other file has them while this one is open. */
  identity: string;
}

/**
 * Opens a regular file for reading. Whoever calls closes the handle.
 *
 * The last component is never followed: a program that may write its own log directory could point it anywhere.
 * The directories above are opened normally, because admins move log directories to other disks by a link.
 * @throws LOG_NOT_FOUND; LOG_REFUSED with what stands there (`symlink`, `directory`, `FIFO`, …); DISK_ERROR.
 */
export async function openLog(path: string): Promise<OpenLog> {
  // Looked at before it is opened, because opening a device can act on it; and again after, because it may have been swapped.
  refuseUnlessFile(path, await lstat(path).catch((error) => fail({ path, operation: 'lstat', error })));
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch((error) => fail({ path, operation: 'open', error }));
  try {
    refuseUnlessFile(path, await handle.stat());
    return { handle, identity: identityOf(await handle.stat({ bigint: true })) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The identity of what `path` names now; undefined when it names nothing. */
export async function identityAt(path: string): Promise<string | undefined> {
  try {
    return identityOf(await lstat(path, { bigint: true }));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    return fail({ path, operation: 'lstat', error });
  }
}

function identityOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}

function refuseUnlessFile(path: string, found: Stats): void {
  if (!found.isFile()) throw new DeployError('LOG_REFUSED', { path, found: typeName(found) });
}

/** One word that both languages of the error texts can carry. */
function typeName(found: Stats): string {
  if (found.isSymbolicLink()) return 'symlink';
  if (found.isDirectory()) return 'directory';
  if (found.isFIFO()) return 'FIFO';
  if (found.isSocket()) return 'socket';
  return 'device';
}

function fail({ path, operation, error }: { path: string; operation: string; error: unknown }): never {
  const code = systemCode(error);
  if (isAbsent(error)) throw new DeployError('LOG_NOT_FOUND', { path }, { cause: error });
  if (code === 'ELOOP') throw new DeployError('LOG_REFUSED', { path, found: 'symlink' }, { cause: error });
  throw new DeployError('DISK_ERROR', { path, operation, reason: code ?? String(error) }, { cause: error });
}

function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '');
}
