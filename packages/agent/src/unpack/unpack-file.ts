import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { corrupt } from './corrupt.ts';
import type { Peeked } from './decode.ts';
import { Meter } from './meter.ts';
import { isGzip, isHtml } from './recognize.ts';
import { DEFAULT_DIRECTORY_MODE } from './standing-tree.ts';
import type { Unpacked } from './unpack-order.ts';
import type { Unpacking } from './unpack-tar.ts';
import { writeError } from './write-error.ts';

const MODE = 0o644;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
/** A zip ends in a record of 22 bytes and a comment of at most 65,535. */
const ZIP_END_BYTES = 22 + 65_535;
const ZIP_END_MAGIC = Buffer.from('504b0506', 'hex');

/** Writes a jar or war as it is. */
export async function unpackFile({ head, chunks }: Peeked, { order, content, log }: Unpacking): Promise<Unpacked> {
  if (isHtml(head)) throw corrupt('expected a jar or war, found an HTML page');
  if (isGzip(head)) throw corrupt('expected a jar or war, found gzip');
  const { filename, limits, stagingDir } = order;
  const meter = new Meter(limits);
  let fd: number | undefined;
  try {
    fd = openSync(content.at(filename), O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR, MODE);
    content.adopt(fd, MODE);
    for await (const chunk of chunks) {
      meter.addBytes(chunk.length, Infinity);
      for (let written = 0; written < chunk.length; ) written += writeSync(fd, chunk, written);
    }
    const { size, mtimeMs } = fstatSync(fd);
    const complete = hasZipEnd(fd, size);
    content.open(DEFAULT_DIRECTORY_MODE);
    log.add([filename, 'f', MODE, size, Math.floor(mtimeMs / 1000)]);
    log.finish(filename);
    return { entries: 1, root: filename, complete };
  } catch (error) {
    throw writeError(error, { stagingDir, entry: filename });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function hasZipEnd(fd: number, size: number): boolean {
  const length = Math.min(size, ZIP_END_BYTES);
  const tail = Buffer.alloc(length);
  const read = readSync(fd, tail, 0, length, size - length);
  return tail.subarray(0, read).includes(ZIP_END_MAGIC);
}
