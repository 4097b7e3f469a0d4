import { randomUUID } from 'node:crypto';
import { closeSync, fsync, openSync } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '@sampan/shared/errors.ts';
import { diskError } from './disk-error.ts';

/** Writes a file so that a crash leaves the old content or the new, never a part: temporary name, fsync, rename, fsync of the directory. */
export async function writeDurably(path: string, data: string | Uint8Array, mode = 0o644): Promise<void> {
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true });
    throw diskError(cause, { path, operation: 'write' });
  }
}

/**
 * Makes the names in a directory durable: what was created, renamed or removed in it. It is opened and closed at once: whoever
 * has just changed it has it in the kernel's memory, and to ask another thread takes ten times as long.
 */
export async function syncDirectory(dir: string): Promise<void> {
  const fd = openSync(dir, 'r');
  try {
    await new Promise<void>((resolve, reject) => fsync(fd, (error) => (error ? reject(error) : resolve())));
  } catch (cause) {
    throw diskError(cause, { path: dir, operation: 'fsync' });
  } finally {
    closeSync(fd);
  }
}

/**
 * Creates a directory and its parents, each durable in its own parent.
 * Not with `recursive`: that hides why a directory cannot be made, as ENOENT (a read-only disk, say).
 */
export async function makeDirectory(dir: string): Promise<void> {
  try {
    await mkdir(dir);
  } catch (cause) {
    const reason = systemCode(cause);
    if (reason === 'EEXIST' && (await isDirectory(dir))) return;
    if (reason !== 'ENOENT' || dir === dirname(dir)) throw diskError(cause, { path: dir, operation: 'mkdir' });
    await makeDirectory(dirname(dir));
    return makeDirectory(dir);
  }
  await syncDirectory(dirname(dir));
}

/** Whether a directory stands there, by its own name or by a link's. */
export async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT' || systemCode(cause) === 'ENOTDIR') return false;
    throw diskError(cause, { path, operation: 'stat' });
  }
}
