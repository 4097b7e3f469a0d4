import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs a program to its end, its output thrown away. @throws Error when it fails, with what it said. */
export async function runProgram(argv: readonly string[], signal: AbortSignal): Promise<void> {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], signal });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code, killedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${killedBy ?? `exit ${code}`} ${said.trim()}`);
}
