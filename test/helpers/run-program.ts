import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NODE_COMPILE_CACHE } from './start-process.ts';

/** Runs a command of ours to its end, with what it printed, less the last newline. Fails for nothing: look at `code`. */
export function runProgram(
  program: 'agent' | 'controller',
  words: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const path = fileURLToPath(new URL(`../../packages/${program}/bin/sampan-${program}.mjs`, import.meta.url));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [path, ...words],
      { env: { ...process.env, NODE_COMPILE_CACHE } },
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? -1) : 0, stdout: stdout.trimEnd(), stderr: stderr.trimEnd() });
      },
    );
  });
}
