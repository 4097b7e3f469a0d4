import type { Stats } from 'node:fs';
import { lstat, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '@sampan/shared/error-text.ts';
import { DeployError, type OldReleaseRefusal, systemCode } from '@sampan/shared/errors.ts';
import { ARCHIVE_ENDINGS } from '@sampan/shared/names.ts';
import { diskError } from '../host/disk-error.ts';
import type { Layout } from '../releases/layout.ts';
import { type OldRelease, oldReleasesOf } from '../releases/old-releases.ts';
import { type ListedEntry, listArchive } from '../unpack/list-archive.ts';
import type { UnpackLimits } from '../unpack/unpack-order.ts';
import { isWholeZip } from '../unpack/zip-end.ts';

interface Old {
  layout: Layout;
  limits: UnpackLimits;
}

/** Reading archives takes time: an error that lists what could be used instead looks at no more. */
const MAX_LISTED = 10;
const LIST_WITHIN_MS = 5000;

/**
 * An old release may be used for a link if it is surely whole. It is, if that link names it or was first flipped away from it
 * by Sampan: it has served. It is as well, if no other link has, and
 * - a directory has its archive beside it, which can be read to its end, and each entry of it stands in the directory, with
 *   the same type, the same size (files) and the same target (symlinks);
 * - a jar or war ends as a zip does.
 * @throws OLD_RELEASE_REFUSED that says why, or the reason of `signal`.
 */
export async function assertOldWhole({ layout, limits }: Old, release: OldRelease, signal: AbortSignal): Promise<void> {
  const { name, served, otherLink, isDirectory } = release;
  if (served) return;
  if (otherLink !== undefined) throw refused(name, 'of_other_link', otherLink);
  const place = join(layout.releasesDir, name);
  if (!isDirectory) {
    if (!(await isWholeZip(place))) throw refused(name, 'cut_short', 'no zip end record');
    return;
  }
  const archive = await archiveOf(place);
  if (archive === undefined) {
    const expected = ARCHIVE_ENDINGS.map((ending) => `${name}${ending}`).join(', ');
    throw refused(name, 'no_archive', expected);
  }
  const difference = await firstDifference(place, await readArchive(archive, { name, limits }, signal), signal);
  if (difference !== undefined) throw refused(name, 'differs', difference);
}

/**
 * The names of the old releases that the link could go back to now, newest first, as far as is found out within 5 s; at most
 * 10 are looked at. Rejects with the reason of `signal`.
 */
export async function usableOldReleases(old: Old, current: string | undefined, signal: AbortSignal): Promise<string[]> {
  const usable: string[] = [];
  const enough = AbortSignal.timeout(LIST_WITHIN_MS);
  const candidates = (await oldReleasesOf(old.layout)).filter(({ name }) => name !== current);
  for (const release of candidates.slice(0, MAX_LISTED)) {
    try {
      await assertOldWhole(old, release, AbortSignal.any([signal, enough]));
      usable.push(release.name);
    } catch (error) {
      signal.throwIfAborted();
      if (enough.aborted) break;
      if (!DeployError.is(error, 'OLD_RELEASE_REFUSED')) throw error;
    }
  }
  return usable;
}

function refused(release: string, reason: OldReleaseRefusal, detail: string): DeployError<'OLD_RELEASE_REFUSED'> {
  return new DeployError('OLD_RELEASE_REFUSED', { release, reason, detail });
}

async function archiveOf(place: string): Promise<string | undefined> {
  for (const ending of ARCHIVE_ENDINGS) {
    const path = `${place}${ending}`;
    const found = await stat(path).catch((cause: unknown) => {
      if (systemCode(cause) === 'ENOENT') return undefined;
      throw diskError(cause, { path, operation: 'stat' });
    });
    if (found?.isFile()) return path;
  }
  return undefined;
}

async function readArchive(
  path: string,
  { name, limits }: { name: string; limits: UnpackLimits },
  signal: AbortSignal,
): Promise<Map<string, ListedEntry>> {
  try {
    return await listArchive(path, { version: name, limits }, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!DeployError.is(error) && systemCode(error) === undefined) throw error;
    const known = DeployError.is(error) ? error : diskError(error, { path, operation: 'read' });
    const detail = DeployError.is(known, 'ARCHIVE_CORRUPT') ? known.params.reason : errorText(known, 'en');
    throw refused(name, 'archive_unreadable', detail);
  }
}

async function firstDifference(
  place: string,
  entries: Map<string, ListedEntry>,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const [path, entry] of entries) {
    signal.throwIfAborted();
    const said = await difference(join(place, path), entry);
    if (said !== undefined) return `${path} ${said}`;
  }
  return undefined;
}

async function difference(path: string, expected: ListedEntry): Promise<string | undefined> {
  const found = await lookAt(path);
  if (!found) return 'is missing';
  const type = typeOf(found);
  if (type !== expected.type) return `is a ${type}, expected a ${expected.type}`;
  if (expected.type === 'file' && found.size !== expected.size) {
    return `has ${found.size} bytes, expected ${expected.size}`;
  }
  if (expected.type !== 'symlink') return undefined;
  const target = await readlink(path);
  return target === expected.target ? undefined : `points at ${target}, expected ${expected.target}`;
}

async function lookAt(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT' || systemCode(cause) === 'ENOTDIR') return undefined;
    throw diskError(cause, { path, operation: 'lstat' });
  }
}

function typeOf(stats: Stats): ListedEntry['type'] | 'special file' {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'special file';
}
