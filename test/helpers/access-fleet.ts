import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { stringify } from 'yaml';
import { runProgram } from './run-program.ts';
import { type StartedController, startController } from './start-controller.ts';
import { keptTempDir } from './temp-dir.ts';

/** A controller process, and its commands, which use the same database beside it. */
export interface GuardedController extends StartedController {
  dir: string;
  /** Runs `sampan-controller <words>`. */
  command(...words: string[]): ReturnType<typeof runProgram>;
  /** Makes a token as a person does, and returns it. */
  token(name: string, scope: string, ...more: string[]): Promise<string>;
  /** Makes an expiry of the past. */
  expire(name: string): void;
  /** The audit trail, as `audit --json` tells it, without times and ids. */
  audit(...words: string[]): Promise<Record<string, unknown>[]>;
}

/**
 * Starts a controller whose database lies in a directory of its own; with `init`, it has a CA. The caller stops it and removes
 * `dir`.
 */
export async function startGuarded(
  settings: Record<string, unknown> = {},
  { init = false } = {},
): Promise<GuardedController> {
  const dir = keptTempDir();
  const file = join(dir, 'sampan.db');
  const config = join(dir, 'controller.yaml');
  const places = { database: `sqlite:${file}`, ...(init && { identity_dir: join(dir, 'identity') }) };
  writeFileSync(config, stringify(places));
  const command = (...words: string[]) => runProgram('controller', ['--config', config, ...words]);
  if (init) await command('init');
  const controller = await startController({ ...places, ...settings });
  return {
    ...controller,
    dir,
    command,
    async token(name, scope, ...more) {
      const { code, stdout, stderr } = await command('token', 'create', '--name', name, '--scope', scope, ...more);
      if (code !== 0) throw new Error(stderr);
      return stdout;
    },
    expire(name) {
      const database = new DatabaseSync(file, { timeout: 5000 });
      database.prepare('update tokens set expires_at = ? where name = ?').run('2026-01-02T03:04:05.000Z', name);
      database.close();
    },
    async audit(...words) {
      const { stdout } = await command('audit', '--json', ...words);
      const records = JSON.parse(stdout) as Record<string, unknown>[];
      return records.map(({ at: _, operation_id: __, ...told }) => told);
    },
  };
}
