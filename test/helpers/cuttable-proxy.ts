import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface CuttableProxy {
  /** As it is written in `server_list`. */
  host: string;
  /** Breaks every open connection; new ones are passed on. */
  cut(): void;
  /** Breaks every open connection, and refuses new ones until `restore`. */
  refuse(): Promise<void>;
  /** From now on bytes vanish, both ways, as behind a cut wire; new connections open and stay silent. */
  swallow(): void;
  restore(): Promise<void>;
  /** How many connections were opened so far. */
  opened: number;
}

/** A TCP proxy in front of one port of this machine, that can fail as networks do. Ends with the test. */
export async function startProxy(targetPort: number): Promise<CuttableProxy> {
  const sockets = new Set<Socket>();
  let swallows = false;
  const server = createServer((near) => {
    proxy.opened += 1;
    const far = connect(targetPort, '127.0.0.1');
    for (const [from, to] of [[near, far] as const, [far, near] as const]) {
      sockets.add(from);
      from.on('data', (bytes) => swallows || to.write(bytes));
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        if (!swallows) to.destroy();
      });
    }
  });
  const port = await listen(server, 0);
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const proxy: CuttableProxy = {
    host: `127.0.0.1:${port}`,
    opened: 0,
    cut,
    async refuse() {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
    swallow() {
      swallows = true;
    },
    async restore() {
      swallows = false;
      if (!server.listening) await listen(server, port);
    },
  };
  onTestFinished(async () => {
    cut();
    if (server.listening) server.close();
  });
  return proxy;
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
