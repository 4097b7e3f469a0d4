import { statfsSync } from 'node:fs';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { IdleMemory } from '../host/idle-memory.ts';
import { closedContent } from './content-dir.ts';
import { gunzipAtOnce } from './decode.ts';
import { unpackArtifact } from './unpack-artifact.ts';
import type { SmallArtifact, Unpacked } from './unpack-order.ts';

/** Below so much of free room a process judges, which is the owner and has no more room than he has. */
const ROOM_BYTES = 16 * 1024 * 1024;

// The program of a thread that unpacks one small artifact after the other (see artifact/unpack-thread.ts): those that go through.
// Of any other it only says that it is none.
if (parentPort !== null) serve(parentPort);

function serve(port: MessagePort): void {
  let running = 0;
  const memory = new IdleMemory(() => running > 0);
  port.on('message', (artifact: SmallArtifact) => {
    running += 1;
    void unpack(artifact).then((unpacked) => {
      running -= 1;
      port.postMessage({ unpacked });
      memory.stirred();
    });
  });
}

async function unpack({ order, bytes }: SmallArtifact): Promise<Unpacked | undefined> {
  try {
    const { bavail, bsize } = statfsSync(order.stagingDir);
    if (bavail * bsize < ROOM_BYTES) return undefined;
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const gunzip = gunzipAtOnce(order.limits.max_bytes);
    return await unpackArtifact(inOnePiece(all), order, {
      prepare: closedContent,
      onProgress: () => undefined,
      gunzip,
    });
  } catch {
    return undefined;
  }
}

async function* inOnePiece(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
