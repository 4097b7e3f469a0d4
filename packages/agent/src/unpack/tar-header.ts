import { corrupt } from './corrupt.ts';
import type { ExtendedFields } from './pax-records.ts';
import { refuseEntry } from './refuse-entry.ts';
import type { TarBlock } from './tar-block.ts';

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

const TYPES: Readonly<Record<string, EntryType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '5': 'directory',
  '2': 'symlink',
  '1': 'link',
};

/** The other type flags that are known, for those who are told that one is not unpacked. */
const NOT_UNPACKED: Readonly<Record<string, string>> = {
  '3': 'CharacterDevice',
  '4': 'BlockDevice',
  '6': 'FIFO',
  A: 'SolarisACL',
  D: 'GNUDumpDir',
  I: 'Inode',
  M: 'ContinuationFile',
  S: 'SparseFile',
  V: 'TapeVolumeHeader',
};

/** No file system of Linux takes a longer one (PATH_MAX, its end included); held in memory until all files stand. */
const MAX_TARGET_BYTES = 4095;

/** The largest size that a header can say in octal; above it a PAX record says the size and the header anything. */
const MAX_OCTAL_SIZE = 0o77777777777;

/** What a header says by itself. */
export interface TarHeader {
  /** Where the names are that few headers have. Holds this header until it takes the next. */
  block: TarBlock;
  typeFlag: string;
  name: string;
  size: number | undefined;
  mode: number | undefined;
  mtimeMs: number | undefined;
}

/**
 * The header in a block; undefined for a block of zeros.
 * @throws ARCHIVE_CORRUPT for a bad checksum, or a size, mode or time that cannot be read.
 */
export function readHeader(block: TarBlock): TarHeader | undefined {
  if (block.isZero) return undefined;
  if (!block.isHeader) throw corrupt('bad header checksum');
  const { typeFlag, name, size, mode, mtimeMs } = block;
  return { block, typeFlag, name, size, mode, mtimeMs };
}

/**
 * The entry that a header and the extended headers before it describe together.
 * @throws ARCHIVE_ENTRY_REFUSED for types and names that are not unpacked; ARCHIVE_CORRUPT where header and extended header disagree.
 */
export function readEntry(header: TarHeader, fields: ExtendedFields): TarEntry {
  const { block, mode } = header;
  const path = fields.path ?? utf8(header.name, () => block.isNameUtf8);
  if (path === '') throw corrupt('an entry without a name');
  const type = typeOf(header.typeFlag, path);
  if (fields.sparse) throw refuseEntry(path, 'type', 'sparse');
  const isLink = type === 'link' || type === 'symlink';
  const linkpath = isLink ? (fields.linkpath ?? utf8(block.linkName, () => block.isLinkNameUtf8)) : '';
  if (isLink && linkpath === '') throw corrupt(`link ${path} has no target`);
  if (Buffer.byteLength(linkpath) > MAX_TARGET_BYTES) {
    throw refuseEntry(path, 'path_invalid', `a link target of more than ${MAX_TARGET_BYTES} bytes`);
  }
  const size = sizeOf({ type, path }, header.size, fields.size);
  return { type, path, linkpath, size, mode, mtimeMs: fields.mtimeMs ?? header.mtimeMs };
}

function utf8(text: string, isUtf8: () => boolean): string {
  if (text.includes('\ufffd') && !isUtf8()) throw refuseEntry(text, 'path_invalid', 'not UTF-8');
  return text;
}

/** Old archives have directories as files whose names end in a slash; a name that was cut short would lack it. */
function typeOf(flag: string, path: string): EntryType {
  const type = TYPES[flag];
  if (type === undefined) throw refuseEntry(path, 'type', NOT_UNPACKED[flag] ?? `type ${JSON.stringify(flag)}`);
  return type === 'file' && flag !== '7' && path.endsWith('/') ? 'directory' : type;
}

function sizeOf(
  { type, path }: Pick<TarEntry, 'type' | 'path'>,
  own: number | undefined,
  extended: number | undefined,
): number {
  if (type === 'directory') return 0;
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
