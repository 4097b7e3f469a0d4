import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const READER = fileURLToPath(new URL('../fixtures/link-reader.mjs', import.meta.url));

/** Starts a process that resolves a link of `base` again and again, and waits until it looks. Stopped, it tells what it saw. */
export async function startLinkReader<Seen>(base: string, link: string): Promise<{ stop(): Promise<Seen> }> {
  const child = spawn(process.execPath, [READER, base, link], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  return {
    async stop() {
      const told = once(lines, 'line');
      child.stdin.end();
      const [line] = (await told) as [string];
      return JSON.parse(line) as Seen;
    },
  };
}
