import { createWriteStream, globSync } from 'node:fs';
import { basename, dirname, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { create } from 'tar';

/** Of every entry, so that the same tree makes the same bytes. */
const MTIME = new Date('2026-01-01T00:00:00Z');

/** Packs `dir` as a `.tar.gz` with one directory in it: entries sorted, no owner, one time. */
export async function writePackage(dir: string, file: string): Promise<void> {
  const root = dirname(dir);
  const entries = globSync('**', { cwd: dir, withFileTypes: true })
    .map(({ parentPath, name }) => relative(root, `${parentPath}/${name}`))
    .filter((path) => path !== basename(dir));
  const options = { cwd: root, portable: true, mtime: MTIME, noDirRecurse: true, strict: true };
  await pipeline(
    create(options, [basename(dir), ...entries.sort()]),
    createGzip({ level: 6, chunkSize: 256 * 1024 }),
    createWriteStream(file),
  );
}
