import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startProgram } from '../../processes/start-program.ts';

const PROGRAM = fileURLToPath(import.meta.url);
/** The kernel takes one more than it was told, and answers nobody beyond. */
const BACKLOG = 1;
const MORE_THAN_BACKLOG = 3;

// A program: listens on addresses, and then does nothing ever again. Arguments: the port, and the addresses.
if (import.meta.main) await listenAndSleep();

async function listenAndSleep(): Promise<void> {
  const [port = '', ...hosts] = process.argv.slice(2);
  for (const host of hosts) {
    await once(createServer().listen({ host, port: Number(port), backlog: BACKLOG }), 'listening');
  }
  process.stdout.write('{"msg":"listening and asleep"}\n');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/**
 * Hosts that swallow what is sent to them, as a machine does that is off behind a router: nobody takes connections from a queue
 * that is full, and the kernel drops whoever comes next.
 */
export async function startSwallowingHosts(
  hosts: readonly string[],
  { dir, port }: { dir: string; port: number },
): Promise<AsyncDisposable> {
  const program = await startProgram([PROGRAM, `${port}`, ...hosts], { ready: 'listening and asleep', cwd: dir });
  const waiting = hosts.flatMap((host) => Array.from({ length: MORE_THAN_BACKLOG }, () => queueUp(host, port)));
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of waiting) socket.destroy();
      await program[Symbol.asyncDispose]();
    },
  };
}

function queueUp(host: string, port: number): Socket {
  return connect({ host, port }).on('error', () => undefined);
}
