import { gzipSync } from 'node:zlib';

/** One header of a tar archive, honest or not. What is absent is what an honest archiver would write. */
export interface RawHeader {
  name?: string | Buffer;
  /** The type flag: `0` file, `1` hard link, `2` symlink, `5` directory, `x` PAX, `L` GNU long name, … */
  type?: string;
  mode?: number;
  uid?: number;
  gid?: number;
  /** As a number, or the twelve bytes of the field. */
  size?: number | Buffer;
  /** Seconds. */
  mtime?: number;
  linkname?: string | Buffer;
  prefix?: string;
  /** `ustar\0` and `00`; GNU has `ustar  \0`. */
  magic?: string;
  /** Added to the right checksum. */
  checksumError?: number;
}

/** A header and the body that follows it, padded to blocks. The size in the header is the body's unless it says another. */
export function entry(header: RawHeader, body: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([rawHeader({ size: bytes.length, ...header }), padded(bytes)]);
}

export function file(name: string, body: Buffer | string = '', header: RawHeader = {}): Buffer {
  return entry({ name, ...header }, body);
}

export function directory(name: string, header: RawHeader = {}): Buffer {
  return entry({ name, type: '5', mode: 0o755, ...header });
}

export function symlink(name: string, linkname: string, header: RawHeader = {}): Buffer {
  return entry({ name, type: '2', mode: 0o777, linkname, ...header });
}

export function hardLink(name: string, linkname: string, header: RawHeader = {}): Buffer {
  return entry({ name, type: '1', linkname, ...header });
}

/** A PAX extended header for the entry after it; with type `g` for all entries after it. */
export function pax(records: Record<string, string | Buffer>, type: 'x' | 'g' = 'x'): Buffer {
  return entry({ name: 'PaxHeaders/next', type }, paxRecords(records));
}

/** GNU's way to give the entry after it a long name, or with type `K` a long link target. */
export function gnuLong(text: string | Buffer, type: 'L' | 'K' = 'L'): Buffer {
  const body = Buffer.concat([Buffer.from(text), Buffer.alloc(1)]);
  return entry({ name: '././@LongLink', type, magic: 'ustar  \0' }, body);
}

/** What ends an archive. */
export const endOfArchive = Buffer.alloc(1024);

export function tar(...entries: Buffer[]): Buffer {
  return Buffer.concat([...entries, endOfArchive]);
}

export function tarGz(...entries: Buffer[]): Buffer {
  return gzipSync(tar(...entries), { level: 1 });
}

/** A small honest package: a file of each text, below the release itself. */
export function tarball(files: Record<string, string | { text: string; mode: number }>): Buffer {
  return tarGz(
    ...Object.entries(files).map(([name, content]) =>
      typeof content === 'string' ? file(name, content) : file(name, content.text, { mode: content.mode }),
    ),
  );
}

/** The bytes that say a number in base 256, as GNU does where octal does not reach; negative numbers too. */
export function base256(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(12, value < 0 ? 0xff : 0);
  bytes.writeBigInt64BE(BigInt(value), 4);
  if (value >= 0) bytes[0] = 0x80;
  return bytes;
}

export function paxRecords(records: Record<string, string | Buffer>): Buffer {
  return Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, Buffer.from(value))));
}

function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** 512 bytes, with a checksum that is right unless it is asked to be wrong. */
export function rawHeader(header: RawHeader): Buffer {
  const block = Buffer.alloc(512);
  Buffer.from(header.name ?? '').copy(block, 0, 0, 100);
  octal(block, [100, 8], header.mode ?? 0o644);
  octal(block, [108, 8], header.uid ?? 0);
  octal(block, [116, 8], header.gid ?? 0);
  if (Buffer.isBuffer(header.size)) header.size.copy(block, 124, 0, 12);
  else octal(block, [124, 12], header.size ?? 0);
  octal(block, [136, 12], header.mtime ?? 1_700_000_000);
  block.write(header.type ?? '0', 156, 'latin1');
  Buffer.from(header.linkname ?? '').copy(block, 157, 0, 100);
  block.write(header.magic ?? 'ustar\0' + '00', 257, 'latin1');
  block.write(header.prefix ?? '', 345, 'utf8');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0) + (header.checksumError ?? 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function octal(block: Buffer, [at, length]: [number, number], value: number): void {
  block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}
