import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Header } from 'tar';
import type { TarEntry } from './tar-entry.ts';

const BLOCK_BYTES = 512;
/** One fixed time, so that two runs make the same bytes. */
const MTIME = new Date('2026-01-01T00:00:00Z');

/** Writes entries as a ustar archive, compressed as `tar -cz` does (level 6). */
export async function writeTarGz(entries: Iterable<TarEntry>, file: string, signal: AbortSignal): Promise<void> {
  const gzip = createGzip({ level: 6, chunkSize: 256 * 1024 });
  await pipeline(Readable.from(blocks(entries)), gzip, createWriteStream(file), { signal });
}

function* blocks(entries: Iterable<TarEntry>): Generator<Buffer> {
  for (const entry of entries) {
    yield header(entry);
    if (entry.type !== 'File') continue;
    yield entry.content;
    yield Buffer.alloc((BLOCK_BYTES - (entry.content.length % BLOCK_BYTES)) % BLOCK_BYTES);
  }
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

function header(entry: TarEntry): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const { type } = entry;
  const path = type === 'Directory' ? `${entry.path}/` : entry.path;
  const mode = type === 'File' ? entry.mode : type === 'Directory' ? 0o755 : 0o777;
  const size = type === 'File' ? entry.content.length : 0;
  const more = type === 'SymbolicLink' ? { linkpath: entry.linkpath } : {};
  const needsPax = new Header({ path, type, mode, size, mtime: MTIME, uid: 0, gid: 0, ...more }).encode(block, 0);
  if (needsPax) throw new Error(`a ustar header cannot hold ${path}`);
  return block;
}
