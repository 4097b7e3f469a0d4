import { corrupt } from './corrupt.ts';
import { BLOCK_BYTES, TarBlock } from './tar-block.ts';

/** How many bytes `recognize` wants to see, unless there are fewer. */
export const RECOGNIZE_BYTES = BLOCK_BYTES;

const OTHERS: [name: string, magic: string][] = [
  ['a zip file', '504b0304'],
  ['an xz file', 'fd377a585a00'],
  ['a bzip2 file', '425a68'],
  ['a zstd file', '28b52ffd'],
  ['a 7z file', '377abcaf271c'],
];

/**
 * What bytes are, by how they begin; names and media types lie.
 * @throws ARCHIVE_CORRUPT that says what was found instead.
 */
export function recognize(head: Buffer): 'gzip' | 'tar' {
  if (isGzip(head)) return 'gzip';
  if (beginsAsTar(head)) return 'tar';
  const other = OTHERS.find(([, magic]) => head.subarray(0, magic.length / 2).toString('hex') === magic);
  throw corrupt(`expected gzip or tar, found ${other?.[0] ?? (isHtml(head) ? 'an HTML page' : 'neither')}`);
}

export function isGzip(head: Buffer): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** Whether a page was sent in place of a file: an error page or a login form with status 200. */
export function isHtml(head: Buffer): boolean {
  return /^\s*(<!doctype html|<html|<head|<body)/i.test(head.toString('latin1'));
}

function beginsAsTar(head: Buffer): boolean {
  if (head.length < RECOGNIZE_BYTES) return false;
  try {
    const block = new TarBlock();
    block.take(head, 0);
    return block.isZero || block.isHeader;
  } catch {
    // A number in it cannot be read; whoever parses the archive says which, if it is one.
    return head.toString('latin1', 257, 262) === 'ustar';
  }
}
