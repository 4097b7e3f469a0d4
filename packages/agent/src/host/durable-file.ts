import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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

/** Makes the names in a directory durable: what was created, renamed or removed in it. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } catch (cause) {
    throw diskError(cause, { path: dir, operation: 'fsync' });
  } finally {
    await handle.close();
  }
}

/** Creates a directory and its parents, each durable in its own parent. */
export async function makeDirectory(dir: string): Promise<void> {
  try {
    const first = await mkdir(dir, { recursive: true });
    if (first === undefined) return;
    for (let path = dir; path.length >= first.length; path = dirname(path)) await syncDirectory(dirname(path));
  } catch (cause) {
    throw diskError(cause, { path: dir, operation: 'mkdir' });
  }
}
