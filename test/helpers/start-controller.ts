import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type StartedProcess, startProcess } from './start-process.ts';

const PROGRAM = fileURLToPath(new URL('../../packages/controller/bin/sampan-controller.mjs', import.meta.url));

/** A real controller process. */
export interface StartedController extends StartedProcess {
  url: string;
}

/** Starts a controller as its own process, on a port of the system's choice, and waits until it listens. The caller stops it. */
export async function startController(settings: Record<string, unknown> = {}): Promise<StartedController> {
  const cwd = mkdtempSync(join(tmpdir(), 'sampan-controller-'));
  const file = join(cwd, 'controller.yaml');
  writeFileSync(file, stringify({ listen: '127.0.0.1:0', log_level: 'debug', ...settings }));
  const started = await startProcess([PROGRAM, '--config', file], { ready: 'listening', cwd }).finally(() =>
    rmSync(cwd, { recursive: true }),
  );
  return Object.assign(started, { url: String(started.readyLine.url) });
}
