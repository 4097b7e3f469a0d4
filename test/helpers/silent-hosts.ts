import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Addresses of this machine that take connections and say nothing, as a host does whose agent is stuck. They end with the test. */
export async function startSilentHosts(count: number, network = 77): Promise<string[]> {
  return await Promise.all(Array.from({ length: count }, (_, index) => startOne(`127.0.${network}.${index + 1}`)));
}

async function startOne(address: string): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  server.listen(0, address);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error(`${address} has no port`);
  return `${address}:${bound.port}`;
}
