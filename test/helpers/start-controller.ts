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

/**
 * Starts a controller as its own process, on a port of the system's choice, and waits until it listens. The caller stops it,
 * which also removes its database, unless `settings.database` says that it lies elsewhere.
 */
export async function startController(
  settings: Record<string, unknown> = {},
  env: Record<string, string> = {},
): Promise<StartedController> {
  const cwd = mkdtempSync(join(tmpdir(), 'sampan-controller-'));
  const remove = () => rmSync(cwd, { recursive: true, force: true });
  const file = join(cwd, 'controller.yaml');
  const defaults = { listen: '127.0.0.1:0', database: 'sqlite:sampan.db', log_level: 'debug' };
  writeFileSync(file, stringify({ ...defaults, ...settings }));
  try {
    const started = await startProcess([PROGRAM, '--config', file], { ready: 'listening', cwd, env });
    const stop: StartedProcess['stop'] = (signal) => started.stop(signal).finally(remove);
    return { ...started, stop, url: String(started.readyLine.url) };
  } catch (error) {
    remove();
    throw error;
  }
}
