import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Report } from './run-cases.ts';

const PROGRAM = fileURLToPath(new URL('../network/main.ts', import.meta.url));

/**
 * Runs a scene of `network/main.ts` in a network of its own, with mounts of its own, which are gone when it ends, however it
 * ends. @throws with all that it printed, where it finds something wrong.
 */
export async function inOwnNetwork(scene: string): Promise<Report> {
  const child = spawn('unshare', ['--net', '--mount', process.execPath, PROGRAM, scene], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  const [code, signal] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${scene} ended with ${code ?? signal}: ${await stderr}${await stdout}`);
  return JSON.parse((await stdout).trimEnd().split('\n').at(-1) ?? '') as Report;
}
