import { isUtf8 } from 'node:buffer';
import { Header } from 'tar/header';
import { corrupt } from './corrupt.ts';
import type { ExtendedFields } from './pax-records.ts';
import { refuseEntry } from './refuse-entry.ts';

export const BLOCK_BYTES = 512;

export type EntryType = 'file' | 'directory' | 'symlink' | 'link';

/** One entry of an archive, after the extended headers that describe it. */
export interface TarEntry {
  type: EntryType;
  /** As the archive has it: not yet checked. */
  path: string;
  /** What a symlink says, or the path of the entry that a hard link repeats; empty for the other types. */
  linkpath: string;
  size: number;
  /** Undefined where the header has no number there. */
  mode: number | undefined;
  mtimeMs: number | undefined;
}

const TYPES: Partial<Record<Header['type'], EntryType>> = {
  File: 'file',
  OldFile: 'file',
  ContiguousFile: 'file',
  Directory: 'directory',
  SymbolicLink: 'symlink',
  Link: 'link',
};

/** No file system of Linux takes a longer one (PATH_MAX, its end included); held in memory until all files stand. */
const MAX_TARGET_BYTES = 4095;

/** The largest size that a header can say in octal; above it a PAX record says the size and the header anything. */
const MAX_OCTAL_SIZE = 0o77777777777;

/**
 * The header in the block at `at`; undefined for a block of zeros. `path` is what an extended header says in place of the
 * name in it: that may be cut short, and a name that ends in a slash makes it a directory.
 * @throws ARCHIVE_CORRUPT for a bad checksum or an unreadable number.
 */
export function readHeader(chunk: Buffer, at: number, path: string | undefined): Header | undefined {
  const header = decode(chunk, at, path);
  if (header.nullBlock) return undefined;
  if (!header.cksumValid) throw corrupt('bad header checksum');
  return header;
}

/**
 * The entry that a header and the extended headers before it describe together.
 * @throws ARCHIVE_ENTRY_REFUSED for types and names that are not unpacked; ARCHIVE_CORRUPT where header and extended header disagree.
 */
export function readEntry(header: Header, block: Buffer, fields: ExtendedFields): TarEntry {
  const path = fields.path ?? nameIn(header.path, block, [0, 100], [345, 155]);
  if (path === '') throw corrupt('an entry without a name');
  const type = TYPES[header.type];
  if (type === undefined) throw refuseEntry(path, 'type', typeName(header, block));
  if (fields.sparse) throw refuseEntry(path, 'type', 'sparse');
  const isLink = type === 'link' || type === 'symlink';
  const linkpath = isLink ? (fields.linkpath ?? nameIn(header.linkpath, block, [157, 100])) : '';
  if (isLink && linkpath === '') throw corrupt(`link ${path} has no target`);
  if (Buffer.byteLength(linkpath) > MAX_TARGET_BYTES) {
    throw refuseEntry(path, 'path_invalid', `a link target of more than ${MAX_TARGET_BYTES} bytes`);
  }
  return {
    type,
    path,
    linkpath,
    size: sizeOf({ type, path }, header, fields),
    mode: header.mode,
    mtimeMs: fields.mtimeMs ?? header.mtime?.getTime(),
  };
}

function decode(chunk: Buffer, at: number, path: string | undefined): Header {
  try {
    return new Header(chunk, at, path === undefined ? undefined : { path });
  } catch (cause) {
    throw corrupt('a number in a header cannot be read', cause);
  }
}

type Field = [start: number, length: number];

function nameIn(text: string | undefined, block: Buffer, ...fields: Field[]): string {
  if (text?.includes('\ufffd') && !fields.every((field) => isUtf8(bytesIn(block, field)))) {
    throw refuseEntry(text, 'path_invalid', 'not UTF-8');
  }
  return text ?? '';
}

function bytesIn(block: Buffer, [start, length]: Field): Buffer {
  const bytes = block.subarray(start, start + length);
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.subarray(0, end);
}

function typeName(header: Header, block: Buffer): string {
  const name: string = header.type;
  return name === 'Unsupported' ? `type ${JSON.stringify(block.toString('latin1', 156, 157))}` : name;
}

function sizeOf({ type, path }: Pick<TarEntry, 'type' | 'path'>, header: Header, fields: ExtendedFields): number {
  if (type === 'directory') return 0;
  const own = header.size;
  const extended = fields.size;
  if (extended !== undefined && extended !== own && extended <= MAX_OCTAL_SIZE) {
    throw corrupt(`${path} has ${own ?? 'no'} bytes by its header and ${extended} by its PAX header`);
  }
  const size = extended ?? own;
  if (type === 'file') {
    if (size === undefined) throw corrupt(`the size of ${path} is negative or not a number`);
    return size;
  }
  // Archivers disagree on whether the bytes of a link follow, so what comes next could be read in two ways.
  if (size !== undefined && size > 0) throw corrupt(`link ${path} has ${size} bytes`);
  return 0;
}
