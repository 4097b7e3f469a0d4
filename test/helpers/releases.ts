import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KnownSequences } from '@sampan/agent/releases/known-sequences.ts';
import { baseLayout, type Layout } from '@sampan/agent/releases/layout.ts';
import type { Manifest } from '@sampan/agent/releases/manifest.ts';
import { prepareBase, promote, type Release } from '@sampan/agent/releases/release-store.ts';

/** A layout below `baseDir`, its directories made. */
export async function madeLayout(baseDir: string, linkName = 'web'): Promise<Layout> {
  const layout = { ...baseLayout(baseDir), link: join(baseDir, linkName) };
  await prepareBase(layout);
  return layout;
}

/** Lets a small tree become a release, as a deploy does, without a download. */
export async function standingRelease(
  layout: Layout,
  about: Partial<Manifest> = {},
  known = new KnownSequences(),
): Promise<Release> {
  const version = about.version ?? 'web-1';
  const stagingDir = join(layout.stagingRoot, `${version}-${Math.random()}`);
  const root = join(stagingDir, 'content');
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'version.txt'), version);
  const treeFile = join(stagingDir, 'tree.jsonl');
  const { mtimeMs, size } = lstatSync(join(root, 'version.txt'));
  writeFileSync(treeFile, `${JSON.stringify(['version.txt', 'f', 0o644, size, Math.floor(mtimeMs / 1000)])}\n`);
  const manifest: Omit<Manifest, 'inode' | 'sequence'> = {
    project: 'shop',
    link: 'web',
    filename: `${version}.tar.gz`,
    version,
    url: `http://origin/${version}.tar.gz`,
    urlSha256: 'u',
    etag: null,
    sha256: 's',
    bytes: 1,
    entries: 1,
    operationId: 'op',
    stagedAt: new Date().toISOString(),
    ...about,
  };
  return promote(layout, { stagingDir, root, treeFile, manifest }, known);
}
