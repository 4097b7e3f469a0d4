import { open } from 'node:fs/promises';

const END_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;
const END_MAGIC = 0x06054b50;
/** A zip with many entries has two more records, of 56 and 20 bytes, between its directory and its end. */
const ZIP64_BYTES = 76;

/**
 * Whether a jar or war ends as a zip does: with its end record, and before it the directory of entries, at the place where
 * the record says that it stands. A jar within a jar that was cut right behind it ends like one too, but at another place.
 */
export async function isWholeZip(path: string): Promise<boolean> {
  await using file = await open(path);
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, END_BYTES + MAX_COMMENT_BYTES));
  const { bytesRead } = await file.read(tail, 0, tail.length, size - tail.length);
  if (bytesRead < tail.length) return false;
  for (let at = tail.length - END_BYTES; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) === END_MAGIC && endsHere(tail, at, size)) return true;
  }
  return false;
}

function endsHere(tail: Buffer, at: number, size: number): boolean {
  const commentBytes = tail.readUInt16LE(at + 20);
  const directoryEnd = tail.readUInt32LE(at + 12) + tail.readUInt32LE(at + 16);
  const gap = size - tail.length + at - directoryEnd;
  return at + END_BYTES + commentBytes === tail.length && (gap === 0 || gap === ZIP64_BYTES);
}
