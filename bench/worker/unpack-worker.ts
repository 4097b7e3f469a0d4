import { on } from 'node:events';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { closedContent } from '@sampan/agent/unpack/content-dir.ts';
import { unpackArtifact } from '@sampan/agent/unpack/unpack-artifact.ts';
import type { UnpackOrder } from '@sampan/agent/unpack/unpack-order.ts';

// A program for a worker thread: what packages/agent/src/unpack/main.ts is for a process of its own, to compare the two.
if (parentPort !== null) await unpack(parentPort, workerData as UnpackOrder);

async function unpack(port: MessagePort, order: UnpackOrder): Promise<void> {
  const place = { prepare: closedContent, onProgress: () => undefined };
  const unpacked = await unpackArtifact(chunks(port), order, place);
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
