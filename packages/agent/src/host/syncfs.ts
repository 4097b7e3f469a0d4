import { closeSync, openSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { systemCode } from '@sampan/shared/errors.ts';
import { libc } from './libc.ts';

/** How it went. `reason`: what the kernel could not do, such as EIO; undefined where all is durable. */
export interface Synced {
  reason: string | undefined;
}

/**
 * Makes everything that was written to the filesystem of `path` durable, by syncfs(2). Blocks until it is, and nothing can
 * end it before: for a thread that nobody needs meanwhile. Undefined where this process has no way to call it.
 */
export function syncfs(path: string): Synced | undefined {
  const functions = libc();
  if (!functions) return undefined;
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    return { reason: systemCode(error) ?? 'unknown' };
  }
  try {
    return { reason: functions.syncfs(fd) === 0 ? undefined : getSystemErrorName(-functions.errno()) };
  } finally {
    closeSync(fd);
  }
}
