import { gzipSync } from 'node:zlib';

/** One entry as it is written, whether or not that makes sense: archives here are to be hostile. */
export interface TarEntry {
  path: string;
  /** '0' file, '1' hard link, '2' symlink, '3' char, '4' block, '5' directory, '6' FIFO, 'x' PAX. Default: '0'. */
  type?: string;
  body?: string | Buffer;
  mode?: number;
  linkpath?: string;
  /** What the header says; default: the body's. A field of 12 bytes may be given as it is. */
  size?: number | Buffer;
  uid?: number;
  mtime?: number;
}

const BLOCK = 512;

/** An uncompressed archive, ended as it should be. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(entryBytes), Buffer.alloc(2 * BLOCK)]);
}

export function tarGzOf(entries: readonly TarEntry[]): Buffer {
  return gzipSync(tarOf(entries));
}

/** Header, body and padding. A path or link of more than 100 bytes is said in a PAX header before it. */
export function entryBytes(entry: TarEntry): Buffer {
  const { path, linkpath = '' } = entry;
  const pax = { ...(tooLong(path) ? { path } : {}), ...(tooLong(linkpath) ? { linkpath } : {}) };
  const body = Buffer.from(entry.body ?? '');
  const padding = Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK);
  return Buffer.concat([
    Object.keys(pax).length > 0 ? paxEntry(pax) : Buffer.alloc(0),
    header(entry, body.length),
    body,
    padding,
  ]);
}

/** A PAX header that says these of the entry after it. */
export function paxEntry(records: Record<string, string>): Buffer {
  const body = Object.entries(records)
    .map(([key, value]) => paxRecord(key, value))
    .join('');
  return entryBytes({ path: 'PaxHeader', type: 'x', body });
}

/** `<length> <key>=<value>\n`, the length counting itself. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  const length = [1, 2, 3, 4, 5].map((digits) => bytes + digits).find((sum) => String(sum).length === sum - bytes);
  return `${length}${rest}`;
}

function tooLong(text: string): boolean {
  return Buffer.byteLength(text) > 100;
}

function header(entry: TarEntry, bodyLength: number): Buffer {
  const {
    path,
    type = '0',
    mode = type === '5' ? 0o755 : 0o644,
    linkpath = '',
    uid = 0,
    mtime = 1_700_000_000,
  } = entry;
  const block = Buffer.alloc(BLOCK);
  block.write(tooLong(path) ? 'long' : path, 0);
  octal(block, mode, { at: 100, length: 8 });
  octal(block, uid, { at: 108, length: 8 });
  octal(block, uid, { at: 116, length: 8 });
  const { size = bodyLength } = entry;
  if (Buffer.isBuffer(size)) size.copy(block, 124);
  else octal(block, size, { at: 124, length: 12 });
  octal(block, mtime, { at: 136, length: 12 });
  block.write(type, 156);
  block.write(tooLong(linkpath) ? 'long' : linkpath, 157);
  block.write('ustar\u000000', 257, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function octal(block: Buffer, value: number, { at, length }: { at: number; length: number }): void {
  block.write(value.toString(8).padStart(length - 1, '0'), at);
}
