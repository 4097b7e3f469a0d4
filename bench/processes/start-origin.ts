import { fileURLToPath } from 'node:url';
import { startProgram } from './start-program.ts';

const PROGRAM = fileURLToPath(new URL('./origin.ts', import.meta.url));

export interface Origin extends AsyncDisposable {
  /** Without a slash at the end. */
  url: string;
}

/** Serves the files of `dir` from a process of its own. */
export async function startOrigin(dir: string): Promise<Origin> {
  const program = await startProgram([PROGRAM, dir], { ready: 'origin is ready', cwd: dir });
  return Object.assign(program, { url: `http://127.0.0.1:${program.readyLine.port}` });
}
