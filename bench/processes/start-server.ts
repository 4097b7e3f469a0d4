import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { endWithUs } from './end-with-us.ts';

/** A program that is not ours, until it is disposed of. */
export interface ForeignServer extends AsyncDisposable {
  /** Rejects with what it said, once it has ended before it was to. */
  failed: Promise<never>;
}

/** Starts a server in the foreground, its output kept for the case that it fails. */
export function startServer(argv: readonly [string, ...string[]]): ForeignServer {
  const [file, ...args] = endWithUs(argv);
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-10_000);
  });
  const ended = once(child, 'close');
  let isStopping = false;
  const failed = ended.then(() => {
    if (isStopping) return new Promise<never>(() => undefined);
    throw new Error(`${argv.join(' ')} ended:\n${said.trim()}`);
  });
  failed.catch(() => undefined);
  return {
    failed,
    async [Symbol.asyncDispose]() {
      isStopping = true;
      child.kill('SIGTERM');
      await ended;
    },
  };
}
