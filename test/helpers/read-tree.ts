import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';

/** All that is known of one entry of a tree, for comparing two trees entry by entry. */
export interface TreeEntry {
  type: 'file' | 'directory' | 'symlink' | 'other';
  mode: number;
  /** In seconds. */
  mtime: number;
  owner: string;
  /** SHA-256 of a file's bytes, or what a symlink says. */
  content: string;
  /** Of files: the first path, in order, that is the same file (a hard link); elsewhere its own. */
  sameFileAs: string;
}

/** Every entry below `dir` by its path, in order; `dir` itself under `''`. A lone file is a tree of one. */
export function readTree(dir: string): Map<string, TreeEntry> {
  const entries = new Map<string, TreeEntry>();
  const firstPaths = new Map<number, string>();
  const add = (path: string) => {
    const place = join(dir, path);
    const stats = lstatSync(place);
    const first = (stats.isFile() && firstPaths.get(stats.ino)) || path;
    firstPaths.set(stats.ino, first);
    entries.set(path, { ...describe(stats, place), sameFileAs: first });
    if (!stats.isDirectory()) return;
    for (const name of readdirSync(place).sort()) add(path === '' ? name : `${path}/${name}`);
  };
  add('');
  return entries;
}

function describe(stats: Stats, place: string): Omit<TreeEntry, 'sameFileAs'> {
  const about = {
    mode: stats.mode & 0o7777,
    mtime: Math.floor(stats.mtimeMs / 1000),
    owner: `${stats.uid}:${stats.gid}`,
  };
  if (stats.isFile()) {
    const content = createHash('sha256').update(readFileSync(place)).digest('hex');
    return { ...about, type: 'file', content };
  }
  if (stats.isSymbolicLink()) return { ...about, type: 'symlink', content: readlinkSync(place) };
  return { ...about, type: stats.isDirectory() ? 'directory' : 'other', content: '' };
}
