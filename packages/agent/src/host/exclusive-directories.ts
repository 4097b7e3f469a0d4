import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';

const ANSWER_WITHIN_MS = 1000;
const LETS_GO_WITHIN_MS = 3000;

/**
 * Directories that one process of this host alone works on, held until it ends, however it ends.
 *
 * Each is held by a listening socket in Linux's abstract namespace, named after the directory's device and inode: the
 * kernel gives such a name to one process, takes it back when that dies, and a bind mount does not deceive it (unix(7)).
 * It is not seen across network namespaces: agents in containers of their own must not share a base.
 */
export class ExclusiveDirectories {
  readonly #held = new Map<string, Server>();

  /**
   * Holds a directory that exists; again for one that is held already does nothing.
   * @throws BASE_HELD that names the process which holds it.
   */
  async hold(dir: string): Promise<void> {
    const { dev, ino } = await stat(dir);
    const name = `\0sampan-agent:${dev}:${ino}`;
    if (this.#held.has(name)) return;
    const giveUpAt = performance.now() + LETS_GO_WITHIN_MS;
    for (;;) {
      const server = createServer((socket) => socket.on('error', () => undefined).end(`${process.pid}`));
      try {
        server.listen({ path: name });
        await once(server, 'listening');
        server.unref();
        this.#held.set(name, server);
        return;
      } catch (cause) {
        if (systemCode(cause) !== 'EADDRINUSE') throw cause;
        const holder = await holderOf(name);
        // The kernel may take the name back a moment after a process that was killed has been reaped.
        if (holder !== UNKNOWN || performance.now() > giveUpAt) {
          throw new DeployError('BASE_HELD', { base: dir, holder }, { cause });
        }
        await delay(50);
      }
    }
  }

  /** Lets go of all, before the process ends: a thread that waits for a disk which does not answer would hold them on. */
  letGo(): void {
    for (const server of this.#held.values()) server.close();
    this.#held.clear();
  }
}

const UNKNOWN = 'unknown';

/** The pid of the process behind a name, as it says itself. */
async function holderOf(name: string): Promise<string> {
  const socket = connect({ path: name }).setEncoding('utf8').setTimeout(ANSWER_WITHIN_MS);
  socket.on('timeout', () => socket.destroy());
  let answer = '';
  try {
    for await (const text of socket) answer += String(text);
  } catch {
    // It ended in the meantime, or is no agent: unknown is what can be said.
  }
  return /^\d+$/.test(answer) ? `pid ${answer}` : UNKNOWN;
}
