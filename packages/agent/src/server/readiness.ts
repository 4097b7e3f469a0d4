import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorText } from '@sampan/shared/error-text.ts';
import { systemCode } from '@sampan/shared/errors.ts';
import { formatBytes } from '@sampan/shared/format-bytes.ts';
import type { AgentConfig } from '../config.ts';
import type { ClockWatch } from '../host/clock-watch.ts';
import { fixedPartOf } from '../releases/layout.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';

/** One thing that must hold for a deploy to have a chance. `detail` says what is wrong, or what was found. */
export interface Check {
  name: string;
  ok: boolean;
  detail: string;
}

const TIMEOUT_MS = 5000;

/** Whether this host can take a deploy now: its directories, its disk, and supervisord where a program of ours is configured. */
export class Readiness {
  readonly #config: AgentConfig;
  readonly #supervisor: Supervisor;
  readonly #clock: ClockWatch;

  constructor(config: AgentConfig, { supervisor, clock }: { supervisor: Supervisor; clock: ClockWatch }) {
    this.#config = config;
    this.#supervisor = supervisor;
    this.#clock = clock;
  }

  async checks(): Promise<Check[]> {
    const directories = this.directories();
    const checks = await Promise.all([
      checkState(this.#config.state_dir),
      ...directories.map((dir) => checkDirectory(dir)),
      ...directories.map((dir) => checkSpace(dir, this.#config.readiness)),
      checkSupervisor(this.#supervisor),
    ]);
    // A clock that was set keeps nobody from deploying.
    return [...checks.flat(), { name: 'clock', ok: true, detail: this.#clock.look() }];
  }

  /** State and the bases that are known by name; those of golang lie below one directory that holds them all. */
  directories(): string[] {
    const bases = Object.values(this.#config.languages).map(({ base_dir }) => fixedPartOf(base_dir));
    return [...new Set([this.#config.state_dir, ...bases])];
  }
}

/** The journal is made at the start: one that is gone was removed, and nothing can be written down any more. */
async function checkState(stateDir: string): Promise<Check> {
  const name = 'journal';
  const detail = join(stateDir, 'operations');
  try {
    await access(detail, constants.W_OK | constants.X_OK);
    return { name, ok: true, detail };
  } catch (error) {
    return { name, ok: false, detail: `${detail}: ${systemCode(error) ?? error}` };
  }
}

async function checkDirectory(dir: string): Promise<Check> {
  const name = `directory ${dir}`;
  try {
    await access(await firstExisting(dir), constants.W_OK | constants.X_OK);
    return { name, ok: true, detail: 'writable' };
  } catch (error) {
    return { name, ok: false, detail: `not writable: ${systemCode(error) ?? error}` };
  }
}

async function checkSpace(dir: string, { min_free, min_free_inodes }: AgentConfig['readiness']): Promise<Check> {
  const name = `disk ${dir}`;
  try {
    const { bavail, bsize, ffree, files } = await statfs(await firstExisting(dir));
    const free = bavail * bsize;
    // Filesystems that make inodes as they go (btrfs, some network ones) say that they have none at all.
    const inodesOk = files === 0 || ffree >= min_free_inodes;
    const detail = `${formatBytes(free)} and ${ffree} inodes free, needs ${formatBytes(min_free)} and ${min_free_inodes}`;
    return { name, ok: free >= min_free && inodesOk, detail };
  } catch (error) {
    return { name, ok: false, detail: systemCode(error) ?? String(error) };
  }
}

async function checkSupervisor(supervisor: Supervisor): Promise<Check[]> {
  try {
    const { configured, ok, detail } = await supervisor.check(AbortSignal.timeout(TIMEOUT_MS));
    return configured ? [{ name: 'supervisor', ok, detail }] : [];
  } catch (error) {
    return [{ name: 'supervisor', ok: false, detail: errorText(error, 'en') }];
  }
}

/** A directory that is not there yet is made by the first deploy, in the nearest one that is. */
export async function firstExisting(dir: string): Promise<string> {
  try {
    await access(dir);
    return dir;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || dir === dirname(dir)) throw error;
    return firstExisting(dirname(dir));
  }
}
