import { DeployError, type EntryRefusal } from '@sampan/shared/errors.ts';
import { refuseEntry } from './refuse-entry.ts';
import type { UnpackLimits } from './unpack-order.ts';

/**
 * Where an entry goes below the release: `a/b`, or '' for the release itself. `./`, `//` and a `/` at the end say nothing.
 * @throws ARCHIVE_ENTRY_REFUSED for absolute paths and any `..`, ARCHIVE_LIMIT for long and deep ones.
 */
export function entryPath(raw: string, limits: UnpackLimits): string {
  const parts = partsOf(raw, { entry: raw, absolute: 'path_absolute', outside: 'path_outside' });
  const path = parts.join('/');
  if (parts.length > limits.max_depth) throw overLimit('max_depth', limits, raw);
  if (Buffer.byteLength(path) > limits.max_path_length) throw overLimit('max_path_length', limits, raw);
  return path;
}

/** The path of the entry that a hard link repeats, under the same rules. */
export function hardLinkTarget(entry: string, linkpath: string): string {
  return partsOf(linkpath, { entry, absolute: 'link_absolute', outside: 'link_outside', detail: linkpath }).join('/');
}

/** The directory part of a path below the release; '' is the release itself. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** A limit of the configuration that an archive passes. `entry` is where that was seen. */
export function overLimit(limit: keyof UnpackLimits, limits: UnpackLimits, entry?: string): DeployError {
  const params = { limit: `unpack.${limit}`, max: limits[limit] };
  return new DeployError('ARCHIVE_LIMIT', entry === undefined ? params : { ...params, entry });
}

interface Refusals {
  entry: string;
  absolute: EntryRefusal;
  outside: EntryRefusal;
  detail?: string;
}

function partsOf(raw: string, { entry, absolute, outside, detail }: Refusals): string[] {
  if (raw.startsWith('/')) throw refuseEntry(entry, absolute, detail);
  const parts = raw.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw refuseEntry(entry, outside, detail);
  return parts;
}
