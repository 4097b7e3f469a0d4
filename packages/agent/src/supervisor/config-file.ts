import { lstat, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '@sampan/shared/errors.ts';
import { diskError } from '../host/disk-error.ts';
import { makeDirectory, syncDirectory, writeDurably } from '../host/durable-file.ts';
import { refusal } from './refuse.ts';

/** A config file as it stands on the disk. */
export interface FileContent {
  bytes: Buffer;
  mode: number;
}

/**
 * The file's content, or undefined where there is none.
 * @throws DeployError PROGRAM_CONFIG_REFUSED for a link, directory or device: whoever put it there meant something.
 */
export async function readConfigFile(path: string): Promise<FileContent | undefined> {
  try {
    const stats = await lstat(path);
    if (!stats.isFile()) throw refusal(path, stats.isSymbolicLink() ? 'a symlink' : 'no file', 'a regular file');
    return { bytes: await readFile(path), mode: stats.mode & 0o777 };
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw diskError(cause, { path, operation: 'read' });
  }
}

/** Makes the file what it is told to be, in one rename, durable; undefined removes it. */
export async function putConfigFile(path: string, content: FileContent | undefined): Promise<void> {
  try {
    if (content) {
      await makeDirectory(dirname(path));
      await writeDurably(path, content.bytes, content.mode);
    } else {
      await rm(path, { force: true });
      await syncDirectory(dirname(path));
    }
  } catch (cause) {
    throw diskError(cause, { path, operation: 'write' });
  }
}
