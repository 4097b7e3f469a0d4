import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port that is free on every one of these addresses: `wanted` where it is. */
export async function freePort(addresses: readonly string[], wanted: number): Promise<number> {
  for (const candidate of [wanted, 0, 0, 0, 0, 0]) {
    const port = await take(addresses[0] ?? '127.0.0.1', candidate);
    if (port === undefined) continue;
    const others = await Promise.all(addresses.slice(1).map((address) => take(address, port)));
    if (others.every((other) => other !== undefined)) return port;
  }
  throw new Error(`no port is free on all of ${addresses.join(', ')}`);
}

/** The port that could be opened there (0: any), closed again; undefined when somebody has it. */
async function take(address: string, port: number): Promise<number | undefined> {
  const server = createServer().listen(port, address);
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
  const opened = server.address();
  server.close();
  await once(server, 'close');
  return typeof opened === 'object' && opened !== null ? opened.port : undefined;
}
