import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Report } from './run-cases.ts';

const PROGRAM = fileURLToPath(new URL('../network/main.ts', import.meta.url));

const OWN = ['--net', '--mount', '--pid', '--mount-proc', '--fork', '--kill-child'];

/**
 * Runs a scene of `network/main.ts` in a network of its own, with mounts and processes of its own, which are gone when it
 * ends, however it ends. @throws with all that it printed, where it finds something wrong.
 */
export async function inOwnNetwork(scene: string): Promise<Report> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...OWN, process.execPath, PROGRAM, scene], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  const [code, signal] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${scene} ended with ${code ?? signal}: ${await stderr}${await stdout}`);
  return JSON.parse((await stdout).trimEnd().split('\n').at(-1) ?? '') as Report;
}
