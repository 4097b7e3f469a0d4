import { on } from 'node:events';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { peek } from '@sampan/agent/unpack/decode.ts';
import { RECOGNIZE_BYTES } from '@sampan/agent/unpack/recognize.ts';
import { TreeLog } from '@sampan/agent/unpack/tree-log.ts';
import type { UnpackOrder } from '@sampan/agent/unpack/unpack-order.ts';
import { unpackTar } from '@sampan/agent/unpack/unpack-tar.ts';

// A program for a worker thread: what packages/agent/src/unpack/main.ts is for a process of its own, to compare the two.
// The working directory is the whole process's, so whoever starts this has gone into `content/`.
if (parentPort !== null) await unpack(parentPort, workerData as UnpackOrder);

async function unpack(port: MessagePort, order: UnpackOrder): Promise<void> {
  const log = new TreeLog(order.stagingDir, Buffer.byteLength(order.filename));
  const input = await peek(chunks(port), RECOGNIZE_BYTES);
  const unpacked = await unpackTar(input, { order, log, onProgress: () => undefined });
  port.postMessage({ unpacked });
  port.close();
}

/** The bytes as they are posted, null at their end. Each is acknowledged when it is taken. */
async function* chunks(port: MessagePort): AsyncGenerator<Buffer> {
  for await (const [chunk] of on(port, 'message') as AsyncIterable<[Uint8Array | null]>) {
    if (chunk === null) return;
    port.postMessage({ taken: chunk.length });
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
}
