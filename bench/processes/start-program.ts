import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** A program of ours that runs, and is killed when it is disposed of. */
export interface Program extends AsyncDisposable {
  pid: number;
  /** The log line that said it was ready. */
  readyLine: Record<string, unknown>;
}

interface Start {
  /** The constant message of the log line that says it is ready. */
  ready: string;
  cwd: string;
  env?: Readonly<Record<string, string>>;
}

/** Starts `node <args>` and waits for the log line `ready`, on stdout or stderr. @throws Error with all it said, when it ends before. */
export async function startProgram(args: string[], { ready, cwd, env }: Start): Promise<Program> {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const said: string[] = [];
  const readyLine = await Promise.race([
    lineSaying(ready, child, said),
    ended.then(([code, signal]) => {
      throw new Error(`${args.join(' ')} ended (${code ?? signal}) before it was ready:\n${said.join('\n')}`);
    }),
  ]);
  return {
    pid: child.pid ?? 0,
    readyLine,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function lineSaying(message: string, { stdout, stderr }: ChildProcess, said: string[]): Promise<Program['readyLine']> {
  return new Promise((resolve) => {
    for (const stream of [stdout, stderr] as Readable[]) {
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        if (line.includes(`"msg":"${message}"`)) resolve(JSON.parse(line) as Program['readyLine']);
      });
    }
  });
}
