import { readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import { diskError } from '../host/disk-error.ts';
import { syncDirectory } from '../host/durable-file.ts';
import type { Layout } from './layout.ts';

/** Temporary links start so; no link of a project can (names start with a letter or digit). Swept at start-up. */
export const TEMPORARY_LINK_PREFIX = '.sampan-link-';

/**
 * The text of the link, or null where there is none.
 * @throws LINK_NOT_A_SYMLINK where something else stands in its place.
 */
export async function readLinkText(link: string): Promise<string | null> {
  try {
    return await readlink(link);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    if (code === 'EINVAL') throw new DeployError('LINK_NOT_A_SYMLINK', { link }, { cause });
    throw diskError(cause, { path: link, operation: 'readlink' });
  }
}

/**
 * Swaps the link in one rename: a crash leaves the old link or the new, never neither.
 * @throws STATE_UNKNOWN when the rename took effect but could not be made durable: a failed fsync is never retried as success.
 */
export async function flipLink(layout: Layout, text: string, operationId: string): Promise<void> {
  const temporary = join(layout.baseDir, `${TEMPORARY_LINK_PREFIX}${operationId}`);
  try {
    await makeLink(text, temporary);
    await rename(temporary, layout.link);
  } catch (cause) {
    // A disk that refuses this too leaves a link that no project can mean; it is swept at start-up.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw diskError(cause, { path: layout.link, operation: 'rename' });
  }
  await syncDirectory(layout.baseDir).catch((cause: unknown) => {
    const reason = DeployError.is(cause, 'DISK_ERROR') ? cause.params.reason : (systemCode(cause) ?? 'unknown');
    throw new DeployError('STATE_UNKNOWN', { known: `${layout.link} -> ${text}, fsync: ${reason}` }, { cause });
  });
}

/** In place of one that an attempt before has left. */
async function makeLink(text: string, path: string): Promise<void> {
  try {
    await symlink(text, path);
  } catch (cause) {
    if (systemCode(cause) !== 'EEXIST') throw cause;
    await rm(path);
    await symlink(text, path);
  }
}
