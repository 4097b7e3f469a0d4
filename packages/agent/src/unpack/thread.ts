import { statfsSync } from 'node:fs';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { IdleMemory } from '../host/idle-memory.ts';
import { syncfs } from '../host/syncfs.ts';
import { closedContent } from './content-dir.ts';
import { gunzipAtOnce } from './decode.ts';
import { unpackArtifact } from './unpack-artifact.ts';
import type { SmallArtifact, ThreadAnswer, ThreadOrder, Unpacked } from './unpack-order.ts';

/** Below so much of free room a process judges, which is the owner and has no more room than he has. */
const ROOM_BYTES = 16 * 1024 * 1024;

// The program of a thread that unpacks one small artifact after the other (see artifact/unpack-thread.ts): those that go through.
// Of any other it only says that it is none. What it has written it also makes durable.
if (parentPort !== null) serve(parentPort);

function serve(port: MessagePort): void {
  let running = 0;
  const memory = new IdleMemory(() => running > 0, { dropPages: false });
  port.on('message', (order: ThreadOrder) => {
    running += 1;
    void carryOut(order).then((answer) => {
      running -= 1;
      port.postMessage(answer);
      memory.stirred();
    });
  });
}

async function carryOut(order: ThreadOrder): Promise<ThreadAnswer> {
  return 'sync' in order ? { synced: syncfs(order.sync) } : { unpacked: await unpack(order.unpack) };
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
