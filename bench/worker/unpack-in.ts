import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { UnpackProcess } from '@sampan/agent/artifact/unpack-process.ts';
import type { Unpacked, UnpackOrder } from '@sampan/agent/unpack/unpack-order.ts';

const MAX_IN_FLIGHT_BYTES = 1024 * 1024;

type Chunks = AsyncIterable<Buffer>;

/** In a process of its own, as the agent does. `UnpackerClass` is the agent's, from source or bundled. */
export async function unpackInChild(
  UnpackerClass: typeof UnpackProcess,
  order: UnpackOrder,
  chunks: Chunks,
): Promise<Unpacked> {
  const unpacker = await UnpackerClass.start(order);
  for await (const chunk of chunks) {
    if (!(await unpacker.write(chunk))) break;
  }
  return unpacker.finish();
}

/** In a worker thread. `program` is unpack-worker.ts. */
export async function unpackInWorker(program: string, order: UnpackOrder, chunks: Chunks): Promise<Unpacked> {
  const worker = new Worker(program, { workerData: order });
  const ended = once(worker, 'exit');
  const result = Promise.withResolvers<Unpacked>();
  const flow = new Flow();
  worker.on('error', result.reject);
  worker.on('message', ({ taken, unpacked }: { taken?: number; unpacked?: Unpacked }) => {
    if (taken !== undefined) flow.left(taken);
    if (unpacked !== undefined) result.resolve(unpacked);
  });
  await Promise.race([post(worker, chunks, flow), result.promise]);
  const unpacked = await result.promise;
  await ended;
  return unpacked;
}

async function post(worker: Worker, chunks: Chunks, flow: Flow): Promise<void> {
  for await (const chunk of chunks) {
    await flow.enter(chunk.length);
    // Copied: most chunks are parts of bigger buffers, which cannot be handed over.
    const own = new Uint8Array(chunk);
    worker.postMessage(own, [own.buffer]);
  }
  worker.postMessage(null);
}

/** Holds back what is posted while too much is on its way. */
class Flow {
  #inFlight = 0;
  #room = Promise.withResolvers<void>();

  async enter(bytes: number): Promise<void> {
    while (this.#inFlight > MAX_IN_FLIGHT_BYTES) await this.#room.promise;
    this.#inFlight += bytes;
  }

  left(bytes: number): void {
    this.#inFlight -= bytes;
    this.#room.resolve();
    this.#room = Promise.withResolvers<void>();
  }
}
