import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** From source, half of a program's start-up is stripping types: the second process of a run finds them stripped. */
export const NODE_COMPILE_CACHE = join(tmpdir(), `sampan-test-compile-cache-${process.getuid?.()}`);

/** A program of ours that runs as its own process. */
export interface StartedProcess {
  pid: number;
  /** The log line that said it was ready, and every log line so far. */
  readyLine: Record<string, unknown>;
  log: Record<string, unknown>[];
  /** What it printed that was no log line. */
  text: string[];
  /** Sends a signal (default SIGTERM) and waits for the end; says how it ended. Does nothing to a process that has ended. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Resolves with the first log line that matches, past or to come. */
  logged(matches: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
}

interface Start {
  /** The constant message of the log line that says it is ready. */
  ready: string;
  cwd: string;
  env?: Record<string, string>;
  /** Words that go before `node`, of a program that becomes it, such as `nsenter`. */
  through?: readonly string[];
}

/** Starts `node <args>` and waits for its ready line; fails with all that it printed if it ends before. */
export async function startProcess(args: string[], { ready, cwd, env, through = [] }: Start): Promise<StartedProcess> {
  const [program, ...words] = [...through, process.execPath, ...args] as [string, ...string[]];
  const child = spawn(program, words, {
    cwd,
    env: { ...process.env, NODE_COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = readLog(child);
  const ended = once(child, 'exit').then(
    ([code, signal]) => ({ code, signal }) as { code: number | null; signal: NodeJS.Signals | null },
  );
  const readyLine = await Promise.race([
    output.logged((line) => line.msg === ready),
    ended.then((end) => {
      throw new Error(
        `${args.join(' ')} ended (${end.code ?? end.signal}) before it was ready:\n${output.text.join('\n')}\n${JSON.stringify(output.log, null, 1)}`,
      );
    }),
  ]);
  return {
    pid: child.pid ?? 0,
    readyLine,
    ...output,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}

function readLog(child: ChildProcess): Pick<StartedProcess, 'log' | 'text' | 'logged'> {
  const log: Record<string, unknown>[] = [];
  const text: string[] = [];
  const waiting = new Set<(line: Record<string, unknown>) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (line) => {
      const parsed = line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : undefined;
      if (!parsed) return text.push(line);
      log.push(parsed);
      for (const tell of waiting) tell(parsed);
      return undefined;
    });
  }
  const logged: StartedProcess['logged'] = (matches) => {
    const past = log.find(matches);
    if (past) return Promise.resolve(past);
    return new Promise((resolve) => {
      const tell = (line: Record<string, unknown>) => {
        if (!matches(line)) return;
        waiting.delete(tell);
        resolve(line);
      };
      waiting.add(tell);
    });
  };
  return { log, text, logged };
}
