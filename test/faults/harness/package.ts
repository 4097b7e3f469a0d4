import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TarEntry, tarGzOf } from './tar-bytes.ts';

/** Type, mode and content of each entry by its path: what has to stand on the disk, exactly. */
export type Tree = ReadonlyMap<string, string>;

/** An artifact, and the tree that a release made of it is. */
export interface Package {
  version: string;
  filename: string;
  bytes: Buffer;
  sha256: string;
  tree: Tree;
}

/** How much is in a package. */
export interface PackageSize {
  files: number;
  bytesEach: number;
  /** Its files are the same line again and again, which compresses to nearly nothing. */
  repeats: boolean;
}

/** Too big for the agent's thread: a process unpacks it while it comes. */
export const BIG: Partial<PackageSize> = { files: 200, bytesEach: 16_000 };

const DEFAULT_SIZE: PackageSize = { files: 30, bytesEach: 300, repeats: false };

/** A small project whose every file differs from that of any other version: two halves of different releases are told apart. */
export function packageOf(version: string, size: Partial<PackageSize> = {}): Package {
  const { files, bytesEach, repeats } = { ...DEFAULT_SIZE, ...size };
  const entries: TarEntry[] = [{ path: 'version.txt', body: version }];
  for (let n = 0; n < files; n += 1)
    entries.push({
      path: `src/${n % 5}/${n}.txt`,
      body: repeats ? `${version}\n`.repeat(bytesEach / 8) : noise(`${version} ${n}`, bytesEach),
    });
  entries.push({ path: 'bin/run', mode: 0o755, body: `#!/bin/sh\necho ${version}\n` });
  entries.push({ path: 'current.txt', type: '2', linkpath: 'version.txt' });
  return packageWith(version, entries);
}

/** A package of just these entries. `tree`: what is expected of them, where that is not simply what they say. */
export function packageWith(version: string, entries: readonly TarEntry[], tree: Tree = treeOf(entries)): Package {
  const bytes = tarGzOf(entries);
  return { version, filename: `${version}.tar.gz`, bytes, sha256: sha256Of(bytes), tree };
}

export function sha256Of(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What stands below `dir` now. */
export function treeAt(dir: string): Tree {
  const tree = new Map<string, string>();
  const add = (path: string) => {
    const place = join(dir, path);
    const stats = lstatSync(place);
    const mode = (stats.mode & 0o7777).toString(8);
    if (stats.isDirectory()) {
      if (path !== '') tree.set(path, `directory ${mode}`);
      for (const name of readdirSync(place)) add(path === '' ? name : `${path}/${name}`);
    } else if (stats.isSymbolicLink()) tree.set(path, `link ${readlinkSync(place)}`);
    else if (stats.isFile()) tree.set(path, `file ${mode} ${sha256Of(readFileSync(place))}`);
    else tree.set(path, 'other');
  };
  add('');
  return tree;
}

/** The first few differences in words; empty where both are the same. */
export function differences(found: Tree, expected: Tree): string[] {
  const paths = [...new Set([...found.keys(), ...expected.keys()])].sort();
  return paths
    .filter((path) => found.get(path) !== expected.get(path))
    .map((path) => `${path}: ${found.get(path) ?? 'missing'}, expected ${expected.get(path) ?? 'nothing'}`)
    .slice(0, 3);
}

/** What these entries make: files, links, and the directories that they need. */
export function treeOf(entries: readonly TarEntry[]): Tree {
  const tree = new Map<string, string>();
  for (const { path, type = '0', mode = 0o644, body = '', linkpath } of entries) {
    const parts = path.split('/').slice(0, -1);
    for (let n = 1; n <= parts.length; n += 1) tree.set(parts.slice(0, n).join('/'), 'directory 755');
    if (type === '0') tree.set(path, `file ${(mode & 0o755).toString(8)} ${sha256Of(body)}`);
    if (type === '2') tree.set(path, `link ${linkpath}`);
    if (type === '5') tree.set(path.replace(/\/$/, ''), 'directory 755');
  }
  return tree;
}

/** Text that does not compress to nothing, the same each time. */
function noise(seed: string, bytes: number): string {
  let text = '';
  for (let n = 0; text.length < bytes; n += 1) text += sha256Of(`${seed} ${n}`);
  return text.slice(0, bytes);
}
