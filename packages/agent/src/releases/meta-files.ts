import { readdir } from 'node:fs/promises';
import { systemCode } from '@sampan/shared/errors.ts';
import { diskError } from '../host/disk-error.ts';
import type { Layout } from './layout.ts';

/** The directories of a base. */
export type Base = Omit<Layout, 'link'>;

/** What is known of a release, by its name on the disk. */
export function manifestPath(base: Base, name: string): string {
  return `${base.metaDir}/${name}.json`;
}

export function treeFilePath(base: Base, name: string): string {
  return `${base.metaDir}/${name}.tree`;
}

/** The names that have a manifest, whether or not it counts. */
export async function manifestNames(base: Base): Promise<string[]> {
  const files = await namesIn(base.metaDir);
  return files
    .filter((file) => file.endsWith('.json') && !file.startsWith('.'))
    .map((file) => file.slice(0, -'.json'.length));
}

/** The names in a directory; none where it does not exist. */
export async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return [];
    throw diskError(cause, { path: dir, operation: 'readdir' });
  }
}
