import type { FileHandle } from 'node:fs/promises';

/** How much of the end is wanted. */
export interface TailLimits {
  lines: number;
  maxBytes: number;
}

/** Byte offsets `[start, end)` of the last lines. `truncated`: `maxBytes` left some of them out. */
export interface Tail {
  start: number;
  end: number;
  truncated: boolean;
}

const BLOCK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;
const MAX_CONTINUATION_BYTES = 3;

/**
 * Finds where the last `lines` lines start, as `tail -n` counts them: a last line without a newline is a line.
 * Reads backwards from the end and no further than needed. A cut by `maxBytes` falls between two characters.
 * @throws what `signal` was aborted with.
 */
export async function findTail(handle: FileHandle, limits: TailLimits, signal: AbortSignal): Promise<Tail> {
  const end = (await handle.stat()).size;
  if (limits.lines === 0) return { start: end, end, truncated: false };
  const floor = Math.max(0, end - limits.maxBytes);
  // One byte more than may be sent: a newline there says that the cut falls on the start of a line, and leaves nothing out.
  const start = await lineStart({ handle, floor: Math.max(0, floor - 1), end, lines: limits.lines }, signal);
  if (start !== undefined) return { start, end, truncated: false };
  if (floor === 0) return { start: 0, end, truncated: false };
  return { start: await characterStart(handle, floor, end), end, truncated: true };
}

interface Search {
  handle: FileHandle;
  floor: number;
  end: number;
  lines: number;
}

/** The offset after the newline that precedes the last `lines` lines; undefined when there is none from `floor` on. */
async function lineStart({ handle, floor, end, lines }: Search, signal: AbortSignal): Promise<number | undefined> {
  const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, end - floor));
  let missing = lines;
  for (let blockEnd = end; blockEnd > floor; ) {
    signal.throwIfAborted();
    const blockStart = Math.max(floor, blockEnd - BLOCK_BYTES);
    const { bytesRead } = await handle.read(block, 0, blockEnd - blockStart, blockStart);
    // The newline at the very end closes the last line and starts none.
    let from = blockEnd === end ? bytesRead - 2 : bytesRead - 1;
    for (let at = lastNewline(block, from); at >= 0; at = lastNewline(block, from)) {
      missing -= 1;
      if (missing === 0) return blockStart + at + 1;
      from = at - 1;
    }
    blockEnd = blockStart;
  }
  return undefined;
}

/** `lastIndexOf` takes a negative offset as counted from the end; here it means that nothing is left to search. */
function lastNewline(block: Buffer, from: number): number {
  return from < 0 ? -1 : block.lastIndexOf(NEWLINE, from);
}

/** The first offset from `offset` on that is not in the middle of a UTF-8 sequence. */
async function characterStart(handle: FileHandle, offset: number, end: number): Promise<number> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_CONTINUATION_BYTES), { position: offset });
  const continuation = [...buffer.subarray(0, bytesRead)].findIndex((byte) => (byte & 0xc0) !== 0x80);
  return Math.min(end, offset + (continuation === -1 ? bytesRead : continuation));
}
