import { lstatSync } from 'node:fs';
import { lstat, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import { isName } from '@sampan/shared/names.ts';
import { diskError } from '../host/disk-error.ts';
import { isDirectory, makeDirectory, syncDirectory, writeDurably } from '../host/durable-file.ts';
import { KnownSequences } from './known-sequences.ts';
import type { Layout, Target } from './layout.ts';
import { linkTargetOf, releaseOfLinkText } from './layout.ts';
import { readLinkText } from './link.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { type Base, manifestNames, manifestPath, treeFilePath } from './meta-files.ts';

type LinkOwner = Pick<Target, 'projectName' | 'linkName'>;

/** A release that stands whole in `.deploy`, under `name`. */
export interface Release extends Manifest {
  name: string;
}

/** Makes the directories of a base, durable. */
export async function prepareBase(base: Base): Promise<void> {
  // The last to be made; the other may have been removed by hand.
  if ((await isDirectory(base.stagingRoot)) && inodeNow(base.metaDir) !== undefined) return;
  for (const dir of [base.baseDir, base.releasesDir, base.metaDir, base.stagingRoot]) await makeDirectory(dir);
}

/** The releases of one (project, link), newest first. */
export async function listReleases(base: Base, target: LinkOwner): Promise<Release[]> {
  return newestFirst(await releasesIn(base, await manifestNames(base), (manifest) => isOf(manifest, target)));
}

/** The copies of one version of one (project, link), newest first. Of other versions nothing is read. */
export async function copiesOf(base: Base, target: LinkOwner, version: string): Promise<Release[]> {
  const names = (await manifestNames(base)).filter((name) => versionInName(name) === version);
  return newestFirst(await releasesIn(base, names, (manifest) => isOf(manifest, target)));
}

/** Whether a release was staged for this (project, link). */
export function isOf({ project, link }: Manifest, { projectName, linkName }: LinkOwner): boolean {
  return project === projectName && link === linkName;
}

/** The release that was staged last, of all that stand in a base. */
export async function newestRelease(base: Base): Promise<Release | undefined> {
  return newestFirst(await releasesIn(base, await manifestNames(base), () => true))[0];
}

/** The release of that name, if it stands there and its manifest is its own (same inode). */
export async function findRelease(base: Base, name: string): Promise<Release | undefined> {
  const manifest = await readManifest(manifestPath(base, name));
  return manifest && standing(base, name, manifest);
}

/**
 * Lets a verified tree become a release: manifest first, durable, then one rename to a name that nothing has.
 * The caller holds the base's lock, and has synced the tree.
 */
export async function promote(
  base: Base,
  staged: StagedTree,
  known: KnownSequences = new KnownSequences(),
): Promise<Release> {
  const inode = await inodeOf(staged.root);
  if (inode === undefined)
    throw new DeployError('DISK_ERROR', { path: staged.root, operation: 'lstat', reason: 'ENOENT' });
  const name = freeName(base, staged.manifest.version);
  const release: Release = { name, ...staged.manifest, inode, sequence: 1 + (await known.highest(base)) };
  try {
    await enter(base, staged, release);
  } catch (cause) {
    // What the disk does not take back either is swept at start-up.
    await takeBack(base, staged, release).catch(() => undefined);
    throw diskError(cause, { path: join(base.releasesDir, name), operation: 'promote' });
  }
  return release;
}

/** A tree in staging, and what will be known of it. */
export interface StagedTree {
  stagingDir: string;
  /** The directory (or bare file) that becomes the release. */
  root: string;
  treeFile: string;
  manifest: Omit<Manifest, 'inode' | 'sequence'>;
}

/** The version that the link names, as people know it. */
export async function currentVersion(layout: Layout): Promise<{ version: string; linkText: string }> {
  const linkText = await readLinkText(layout.link);
  if (linkText === null) throw new DeployError('NOT_DEPLOYED', { link: layout.link });
  const version = await versionOfLinkText(layout, linkText);
  if (version === undefined) throw new DeployError('RELEASE_MISSING', { link: layout.link, target: linkText });
  return { version, linkText };
}

/** The version behind a link's text; undefined where it leads nowhere. A release without a manifest goes by its name. */
export async function versionOfLinkText(layout: Layout, text: string): Promise<string | undefined> {
  const name = releaseOfLinkText(layout, text);
  if (name !== undefined) {
    const release = await findRelease(layout, name);
    if (release) return release.version;
  }
  const path = join(layout.baseDir, name === undefined ? text : linkTargetOf(layout, name));
  const exists = (await inodeOf(text.startsWith('/') ? text : path)) !== undefined;
  return exists ? (name ?? text) : undefined;
}

async function enter(base: Base, staged: StagedTree, { name, ...manifest }: Release): Promise<void> {
  await rename(staged.treeFile, treeFilePath(base, name));
  await writeDurably(manifestPath(base, name), `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(staged.root, join(base.releasesDir, name));
  await syncDirectory(base.releasesDir);
  await syncDirectory(staged.stagingDir);
}

/** A release that stands, but whose directory could not be made durable, goes back to staging: it is not to be found again as whole. */
async function takeBack(base: Base, staged: StagedTree, { name, inode }: Release): Promise<void> {
  const place = join(base.releasesDir, name);
  if ((await inodeOf(place)) === inode) await rename(place, staged.root);
  await rm(manifestPath(base, name), { force: true });
  await rm(treeFilePath(base, name), { force: true });
}

async function releasesIn(
  base: Base,
  names: readonly string[],
  isWanted: (manifest: Manifest) => boolean,
): Promise<Release[]> {
  const all = names.map(async (name) => {
    const manifest = await readManifest(manifestPath(base, name));
    if (!manifest || !isWanted(manifest)) return undefined;
    return standing(base, name, manifest);
  });
  return (await Promise.all(all)).filter((release) => release !== undefined);
}

async function standing(base: Base, name: string, manifest: Manifest): Promise<Release | undefined> {
  return (await inodeOf(join(base.releasesDir, name))) === manifest.inode ? { name, ...manifest } : undefined;
}

function newestFirst(releases: Release[]): Release[] {
  return releases.sort((a, b) => b.sequence - a.sequence);
}

/** The version that a release has by its name on the disk: `app` of `app~2`. */
function versionInName(name: string): string {
  return name.split('~', 1)[0] ?? name;
}

/** Whether it can be what a release is called on the disk: a name, and which copy of it. */
export function isReleaseName(text: string): boolean {
  const [version = '', copy, ...more] = text.split('~');
  return isName(version) && more.length === 0 && (copy === undefined || /^\d{1,9}$/.test(copy));
}

/** Names on disk are made unique (`app~2`): `~` is in no name that a caller can send. */
function freeName(base: Base, version: string): string {
  for (let copy = 1; ; copy += 1) {
    const name = copy === 1 ? version : `${version}~${copy}`;
    const isTaken = [join(base.releasesDir, name), manifestPath(base, name)].some(
      (path) => inodeNow(path) !== undefined,
    );
    if (!isTaken) return name;
  }
}

/**
 * As inodeOf, but at once: for a name or two in a directory that another thread was just told of, at a tenth of what it costs to
 * ask that again. The whole agent waits for it.
 */
function inodeNow(path: string): number | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.ino;
  } catch (cause) {
    if (systemCode(cause) === 'ENOTDIR') return undefined;
    throw diskError(cause, { path, operation: 'lstat' });
  }
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).ino;
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT' || systemCode(cause) === 'ENOTDIR') return undefined;
    throw diskError(cause, { path, operation: 'lstat' });
  }
}
