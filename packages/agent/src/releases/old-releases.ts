import type { Stats } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import { artifactKind, isName } from '@sampan/shared/names.ts';
import { z } from 'zod';
import { diskError } from '../host/disk-error.ts';
import { makeDirectory, writeDurably } from '../host/durable-file.ts';
import { type Layout, releaseOfLinkText } from './layout.ts';
import { readLinkText, TEMPORARY_LINK_PREFIX } from './link.ts';
import { manifestPath, namesIn } from './meta-files.ts';

/** A release of the service before Sampan: it stands in `.deploy` and has no manifest. Its name is its version. */
export interface OldRelease {
  name: string;
  isDirectory: boolean;
  inode: number;
  mtimeMs: number;
  /** The link of the layout names it now, or named it when Sampan first flipped away from it: it has served as it stands. */
  served: boolean;
  /** Another link that names it now, or did so then; undefined where there is none, or where `served`. */
  otherLink: string | undefined;
}

const LEFT_SUFFIX = '.left';
const leftSchema = z.array(z.object({ release: z.string(), inode: z.number() }));
type Left = z.output<typeof leftSchema>;

/** The old release of that name, whole or not. Archives, symlinks and whatever has a manifest are none. */
export async function findOldRelease(layout: Layout, name: string): Promise<OldRelease | undefined> {
  if (!isName(name) || artifactKind(name) === 'tar') return undefined;
  if (await lookAt(manifestPath(layout, name))) return undefined;
  const found = await lookAt(join(layout.releasesDir, name));
  if (!found?.isDirectory() && !(found?.isFile() && artifactKind(name) === 'file')) return undefined;
  const { ino: inode, mtimeMs } = found;
  const links = await linksThatServed(layout, { release: name, inode });
  const served = links.includes(basename(layout.link));
  const otherLink = served ? undefined : links[0];
  return { name, isDirectory: found.isDirectory(), inode, mtimeMs, served, otherLink };
}

/**
 * The old releases that look like those of the layout's link, newest first: those that it named, and those called like them
 * or like the link up to the version number. Nobody has written down whose they are.
 */
export async function oldReleasesOf(layout: Layout): Promise<OldRelease[]> {
  const current = releaseOfLinkText(layout, await readLinkText(layout.link));
  const known = [...(current === undefined ? [] : [current]), ...(await leftReleases(layout))];
  const stems = new Set([basename(layout.link), ...known.map(stemOf)]);
  const all = await Promise.all((await namesIn(layout.releasesDir)).map((name) => findOldRelease(layout, name)));
  return all
    .filter((release) => release !== undefined)
    .filter(({ name, served, otherLink }) => served || (otherLink === undefined && stems.has(stemOf(name))))
    .sort((a, b) => b.mtimeMs - a.mtimeMs);
}

/**
 * Writes down, durable, that the link named an old release until now. Asked before a flip; does nothing for a release
 * that has a manifest. The caller holds the base's lock.
 */
export async function rememberLeft(layout: Layout, text: string | null): Promise<void> {
  const name = releaseOfLinkText(layout, text);
  const release = name === undefined ? undefined : await findOldRelease(layout, name);
  if (!release) return;
  const path = leftPath(layout);
  const left = await readLeft(path);
  const entry = { release: release.name, inode: release.inode };
  if (left.some((known) => isSame(known, entry))) return;
  await makeDirectory(layout.metaDir);
  const others = left.filter((known) => known.release !== entry.release);
  await writeDurably(path, `${JSON.stringify([...others, entry], null, 2)}\n`);
}

/** The names of the old releases that the link has named. */
export async function leftReleases(layout: Layout): Promise<string[]> {
  return (await readLeft(leftPath(layout))).map(({ release }) => release);
}

/** The links of the base that name a release now, or that Sampan flipped away from it. */
async function linksThatServed(layout: Layout, release: Left[number]): Promise<string[]> {
  const links = new Set<string>();
  for (const entry of await namesIn(layout.baseDir)) {
    if (entry.startsWith(TEMPORARY_LINK_PREFIX)) continue;
    const text = await linkTextOf(join(layout.baseDir, entry));
    if (releaseOfLinkText(layout, text) === release.release) links.add(entry);
  }
  for (const file of await namesIn(layout.metaDir)) {
    if (!file.endsWith(LEFT_SUFFIX) || file.startsWith('.')) continue;
    const left = await readLeft(join(layout.metaDir, file));
    if (left.some((known) => isSame(known, release))) links.add(file.slice(0, -LEFT_SUFFIX.length));
  }
  return [...links].sort();
}

function isSame(a: Left[number], b: Left[number]): boolean {
  return a.release === b.release && a.inode === b.inode;
}

function leftPath(layout: Layout): string {
  return join(layout.metaDir, `${basename(layout.link)}${LEFT_SUFFIX}`);
}

async function readLeft(path: string): Promise<Left> {
  try {
    return leftSchema.safeParse(JSON.parse(await readFile(path, 'utf8'))).data ?? [];
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return [];
    throw diskError(error, { path, operation: 'read' });
  }
}

/** `shop` of `shop-1.2.0`, `api` of `api-v3.jar`. */
function stemOf(name: string): string {
  return name.replace(/[-_.]?v?\d.*$/, '');
}

async function linkTextOf(path: string): Promise<string | null> {
  return readLinkText(path).catch((error: unknown) => {
    if (DeployError.is(error, 'LINK_NOT_A_SYMLINK')) return null;
    throw error;
  });
}

async function lookAt(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT' || systemCode(cause) === 'ENOTDIR') return undefined;
    throw diskError(cause, { path, operation: 'lstat' });
  }
}
