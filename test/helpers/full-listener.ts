import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** Listens, says on which port, and then does nothing for good: nobody accepts what connects. */
const NEVER_ACCEPTS = `
  const { createServer } = require('node:net');
  const { parentPort } = require('node:worker_threads');
  const server = createServer();
  server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/** Linux lets one more wait than the backlog says. */
const FULL_AT = 2;

/** A port of loopback that is open and whose queue is full: a connection to it is neither made nor refused. The caller closes it. */
export async function startFullListener(): Promise<{ port: number; close(): Promise<void> }> {
  const worker = new Worker(NEVER_ACCEPTS, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  const sockets: Socket[] = [];
  for (let n = 0; n < FULL_AT; n += 1) {
    const socket = connect(port, '127.0.0.1').on('error', () => socket.destroy());
    await once(socket, 'connect');
    sockets.push(socket);
  }
  return {
    port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await worker.terminate();
    },
  };
}
