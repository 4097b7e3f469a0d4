import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { endWithUs } from './end-with-us.ts';

/** A program of ours that runs, and is killed when it is disposed of. */
export interface Program extends AsyncDisposable {
  pid: number;
  /** The log line that said it was ready. */
  readyLine: Record<string, unknown>;
  /** Sends a message to one that was started with `answers`; resolves with the next message that it sends. */
  ask(message: string): Promise<unknown>;
}

interface Start {
  /** The constant message of the log line that says it is ready. */
  ready: string;
  cwd: string;
  env?: Readonly<Record<string, string>>;
  /** Whether it takes messages (`process.on('message')`) and answers each with one. */
  answers?: boolean;
}

/** Starts `node <args>` and waits for the log line `ready`, on stdout or stderr. @throws Error with all it said, when it ends before. */
export async function startProgram(args: string[], { ready, cwd, env, answers }: Start): Promise<Program> {
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', ...(answers ? (['ipc'] as const) : [])];
  const [file, ...argv] = endWithUs([process.execPath, ...args]);
  const child = spawn(file, argv, { cwd, env: { ...process.env, ...env }, stdio });
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
    async ask(message) {
      const answer = once(child, 'message') as Promise<[unknown]>;
      child.send(message);
      const gone = ended.then(() => Promise.reject(new Error(`${args.join(' ')} ended before it answered`)));
      const [answered] = await Promise.race([answer, gone]);
      return answered;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function lineSaying(message: string, { stdout, stderr }: ChildProcess, said: string[]): Promise<Program['readyLine']> {
  return new Promise((resolve) => {
    for (const stream of [stdout, stderr] as Readable[]) {
      const lines = createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        if (!line.includes(`"msg":"${message}"`)) return;
        resolve(JSON.parse(line) as Program['readyLine']);
        // What it says from now on is thrown away, with as little work as can be.
        lines.close();
        stream.resume();
      });
    }
  });
}
