import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { startProgram } from './start-program.ts';

const PROGRAM = fileURLToPath(new URL('../../packages/controller/bin/sampan-controller.mjs', import.meta.url));

export interface RunningController extends AsyncDisposable {
  url: string;
}

/** Starts a controller on loopback, its files below `root`. */
export async function startController(root: string): Promise<RunningController> {
  mkdirSync(root, { recursive: true });
  const file = join(root, 'controller.yaml');
  writeFileSync(file, stringify({ listen: '127.0.0.1:0', database: 'sqlite:sampan.db' }));
  const program = await startProgram([PROGRAM, '--config', file], { ready: 'listening', cwd: root });
  return Object.assign(program, { url: String(program.readyLine.url) });
}
