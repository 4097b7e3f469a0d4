/** What a disk was told, in order: bytes at an offset, or to make durable all that came before. */
export type DiskCommand = { kind: 'write'; offset: number; data: Buffer } | { kind: 'flush' };

const HEADER_BYTES = 9;
const FLUSH = 0xffff_ffff;

export function writeRecord(offset: number, data: Buffer): Buffer {
  return Buffer.concat([header(data.length, offset), data]);
}

export function flushRecord(): Buffer {
  return header(FLUSH, 0);
}

/** All commands of a log up to a size that it once had. */
export function readCommands(log: Buffer): DiskCommand[] {
  const commands: DiskCommand[] = [];
  for (let at = 0; at < log.length; ) {
    const length = log.readUInt32LE(at);
    const offset = log.readUIntLE(at + 4, 5);
    at += HEADER_BYTES;
    if (length === FLUSH) commands.push({ kind: 'flush' });
    else {
      commands.push({ kind: 'write', offset, data: log.subarray(at, at + length) });
      at += length;
    }
  }
  return commands;
}

/**
 * The disk after a power cut: all that was flushed, and of what came after it a part, in which `survives` decides over each
 * write, since a disk may write down what it holds in any order.
 */
export function diskAfter(image: Buffer, commands: readonly DiskCommand[], survives: () => boolean): Buffer {
  const disk = Buffer.from(image);
  const flushed = commands.findLastIndex(({ kind }) => kind === 'flush');
  for (const [index, command] of commands.entries()) {
    if (command.kind === 'write' && (index < flushed || survives())) command.data.copy(disk, command.offset);
  }
  return disk;
}

function header(length: number, offset: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32LE(length, 0);
  bytes.writeUIntLE(offset, 4, 5);
  return bytes;
}
