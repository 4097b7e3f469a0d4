import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Random } from './random.ts';

const BLOCK_BYTES = 16 * 1024 * 1024;
const SUBJECTS = ['订单 order', 'cart', '支付 payment', 'session', 'stock', 'invoice'];

/** Writes a log of at least `bytes`: lines of some 130 bytes, a few of them with long stack traces. */
export async function writeLog(path: string, bytes: number, signal: AbortSignal): Promise<void> {
  const block = Buffer.from(lines(Math.min(BLOCK_BYTES, bytes)));
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w');
  try {
    for (let written = 0; written < bytes; written += block.length) {
      signal.throwIfAborted();
      await file.writeFile(block);
    }
  } finally {
    await file.close();
  }
}

function lines(bytes: number): string {
  const random = new Random(5);
  const text: string[] = [];
  for (let length = 0; length < bytes; ) {
    const at = new Date(Date.UTC(2026, 0, 1) + text.length * 37).toISOString();
    const tail = random.below(200) === 0 ? ` at com.acme.${'Service.call(Service.java:42) '.repeat(40)}` : '';
    const line = `${at} INFO [worker-${random.below(64)}] com.acme.Checkout - ${random.pick(SUBJECTS)} ${random.below(1e9)} handled in ${random.below(900)} ms, user ${random.below(1e6)}${tail}\n`;
    text.push(line);
    length += Buffer.byteLength(line);
  }
  return text.join('');
}
