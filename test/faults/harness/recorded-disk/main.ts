// A program: serves one file, `disk`, through FUSE at a directory, and writes down each write to it and each flush, in order.
// A loop device on that file, with a file system on it, then is a disk whose every state at a power cut can be made again.
// Usage: main.ts <directory> <image> <log> <mount point>. Says `serving` once it is mounted. When its stdin ends, as it does
// with whoever started it, it unmounts the directory and what is mounted on the disk, and ends.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, read, readFileSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { flushRecord, writeRecord } from './write-log.ts';

/** Of linux/fuse.h. What is not here is answered with ENOSYS, which the kernel takes for "not needed". */
const OPCODE = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  FLUSH: 25,
  INIT: 26,
  ACCESS: 34,
  BATCH_FORGET: 42,
} as const;
const ENOENT = -2;
const ENOSYS = -38;

const ROOT_NODE = 1n;
const DISK_NODE = 2n;
const IN_HEADER_BYTES = 40;
const OUT_HEADER_BYTES = 16;
const MAX_WRITE = 128 * 1024;
/** Each write comes to us as it is made, and nothing is kept in between. */
const FOPEN_DIRECT_IO = 1;
const S_IFDIR = 0o040755;
const S_IFREG = 0o100644;

const [directory = '', image = '', log = '', mountPoint = ''] = parseArgs({ allowPositionals: true }).positionals;
const disk = readFileSync(image);
const logFile = openSync(log, 'a');
const fuse = openSync('/dev/fuse', 'r+');
mount();
process.stdin.on('end', () => void unmountAll()).resume();
console.log('serving');
serve(Buffer.alloc(MAX_WRITE + 64 * 1024));

function mount(): void {
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,max_read=131072';
  const { status, stderr } = spawnSync('mount', ['-i', '-t', 'fuse', '-o', options, 'recorded-disk', directory], {
    stdio: ['ignore', 'ignore', 'pipe', fuse],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`mount: ${stderr}`);
}

/** The file system on the disk writes to it once more as it goes: this program has to serve it meanwhile. */
async function unmountAll(): Promise<void> {
  for (const path of [mountPoint, directory]) {
    await once(spawn('umount', ['--lazy', path], { stdio: 'ignore' }), 'exit');
  }
  process.exit();
}

function serve(buffer: Buffer): void {
  read(fuse, buffer, 0, buffer.length, null, (error, length) => {
    if (error) throw error;
    answer(buffer.subarray(0, length));
    serve(buffer);
  });
}

function answer(request: Buffer): void {
  const opcode = request.readUInt32LE(4);
  const node = request.readBigUInt64LE(16);
  const body = request.subarray(IN_HEADER_BYTES);
  if (opcode === OPCODE.FORGET || opcode === OPCODE.BATCH_FORGET) return;
  const reply = replyTo(opcode, node, body);
  const [error, payload] = typeof reply === 'number' ? [reply, Buffer.alloc(0)] : [0, reply];
  const header = Buffer.alloc(OUT_HEADER_BYTES);
  header.writeUInt32LE(OUT_HEADER_BYTES + payload.length, 0);
  header.writeInt32LE(error, 4);
  request.copy(header, 8, 8, 16);
  writeSync(fuse, Buffer.concat([header, payload]));
}

function replyTo(opcode: number, node: bigint, body: Buffer): Buffer | number {
  switch (opcode) {
    case OPCODE.INIT:
      return initOut(body);
    case OPCODE.LOOKUP:
      return node === ROOT_NODE && body.toString('utf8') === 'disk\0' ? entryOut() : ENOENT;
    case OPCODE.GETATTR:
    case OPCODE.SETATTR:
      return Buffer.concat([Buffer.alloc(16), attributes(node)]);
    case OPCODE.OPEN:
      return words(0, 0, FOPEN_DIRECT_IO, 0);
    case OPCODE.READ:
      return readOut(body);
    case OPCODE.WRITE:
      return writeOut(body);
    case OPCODE.FSYNC:
      writeSync(logFile, flushRecord());
      return 0;
    case OPCODE.STATFS:
      return Buffer.alloc(80);
    case OPCODE.FLUSH:
    case OPCODE.RELEASE:
    case OPCODE.ACCESS:
      return 0;
    default:
      return ENOSYS;
  }
}

function initOut(body: Buffer): Buffer {
  const [major, minor, maxReadahead] = [body.readUInt32LE(0), Math.min(body.readUInt32LE(4), 31), body.readUInt32LE(8)];
  const out = Buffer.alloc(64);
  out.writeUInt32LE(major, 0);
  out.writeUInt32LE(minor, 4);
  out.writeUInt32LE(maxReadahead, 8);
  // Bit 5: writes of more than a page.
  out.writeUInt32LE(1 << 5, 12);
  out.writeUInt16LE(12, 16);
  out.writeUInt16LE(9, 18);
  out.writeUInt32LE(MAX_WRITE, 20);
  out.writeUInt32LE(1, 24);
  return out;
}

function readOut(body: Buffer): Buffer {
  const offset = Number(body.readBigUInt64LE(8));
  return disk.subarray(offset, offset + body.readUInt32LE(16));
}

function writeOut(body: Buffer): Buffer {
  const offset = Number(body.readBigUInt64LE(8));
  const size = body.readUInt32LE(16);
  const data = body.subarray(40, 40 + size);
  data.copy(disk, offset);
  writeSync(logFile, writeRecord(offset, data));
  return words(size, 0);
}

function entryOut(): Buffer {
  const out = Buffer.alloc(40);
  out.writeBigUInt64LE(DISK_NODE, 0);
  return Buffer.concat([out, attributes(DISK_NODE)]);
}

function attributes(node: bigint): Buffer {
  const out = Buffer.alloc(88);
  out.writeBigUInt64LE(node, 0);
  out.writeBigUInt64LE(BigInt(node === DISK_NODE ? disk.length : 0), 8);
  out.writeBigUInt64LE(BigInt(node === DISK_NODE ? disk.length / 512 : 0), 16);
  out.writeUInt32LE(node === DISK_NODE ? S_IFREG : S_IFDIR, 60);
  out.writeUInt32LE(1, 64);
  out.writeUInt32LE(4096, 80);
  return out;
}

function words(...values: number[]): Buffer {
  const out = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) out.writeUInt32LE(value, 4 * index);
  return out;
}
