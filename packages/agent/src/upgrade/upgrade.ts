import { createHash } from 'node:crypto';
import { access, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import { diskError } from '../host/disk-error.ts';
import { makeDirectory } from '../host/durable-file.ts';
import { removeTree } from '../host/remove-tree.ts';
import { runCommand } from '../host/run-command.ts';

/** Where the package's install.sh puts the agent. */
const HOME = '/opt/sampan-agent/';
const MAX_BYTES = 1024 ** 3;
const UNPACK_MS = 5 * 60_000;
const START_MS = 30_000;
const LINES_TOLD = 20;

/** A package as it was announced: SHA-256 in lower-case hex. */
export interface AnnouncedPackage {
  sha256: string;
  bytes: number;
}

/** How the last upgrade stands; `detail` is what was said last by one that failed. */
export interface UpgradeState {
  state: '' | 'installing' | 'installed' | 'failed';
  detail: string;
}

/**
 * Replaces the agent by another version of it. What installs it runs beside the agent, in a unit of its own: the agent's sandbox may
 * not write units, and its restart would end whatever is inside of it.
 */
export class Upgrade {
  readonly #dir: string;

  constructor(stateDir: string) {
    this.#dir = join(stateDir, 'upgrade');
  }

  /**
   * Takes a package and begins to install it; the agent will be restarted. Resolves with its version.
   * @throws DeployError UPGRADE_UNAVAILABLE, UPGRADE_REFUSED, CHECKSUM_MISMATCH, DISK_FULL, DISK_ERROR.
   */
  async install(announced: AnnouncedPackage, chunks: AsyncIterable<Buffer>, signal: AbortSignal): Promise<string> {
    this.#assertInstalled();
    await removeTree(this.#dir);
    await makeDirectory(this.#dir);
    const archive = join(this.#dir, 'package.tar.gz');
    await receive(archive, announced, chunks);
    const unpacked = join(this.#dir, 'package');
    await makeDirectory(unpacked);
    const argv = ['tar', '-xzf', archive, '-C', unpacked, '--strip-components=1', '--no-same-owner'];
    const tar = await runCommand({ argv, timeoutMs: UNPACK_MS }, signal);
    if (!tar.ok) throw refused(`tar: ${tar.ending} ${tar.output}`);
    const version = await versionIn(unpacked);
    await this.#start(signal);
    return version;
  }

  /** How the last one stands. Never throws. */
  async state(): Promise<UpgradeState> {
    const [exit, log] = await Promise.all([this.#read('exit'), this.#read('log')]);
    if (exit === undefined) return { state: log === undefined ? '' : 'installing', detail: '' };
    if (exit.trim() === '0') return { state: 'installed', detail: '' };
    return { state: 'failed', detail: (log ?? '').trim().split('\n').slice(-LINES_TOLD).join('\n') };
  }

  #assertInstalled(): void {
    if (process.execPath.startsWith(HOME) && process.getuid?.() === 0) return;
    throw new DeployError('UPGRADE_UNAVAILABLE', { reason: 'it was not installed from its package' });
  }

  async #start(signal: AbortSignal): Promise<void> {
    const script = 'cd "$1" && sh package/install.sh >log 2>&1; echo $? >exit; rm -rf package package.tar.gz';
    const unit = ['systemd-run', '--quiet', '--collect', '--unit=sampan-agent-upgrade'];
    const argv = [...unit, 'sh', '-c', script, 'sh', this.#dir];
    const started = await runCommand({ argv, timeoutMs: START_MS }, signal);
    if (started.ok) return;
    throw new DeployError('UPGRADE_UNAVAILABLE', { reason: `systemd-run: ${started.ending} ${started.output}`.trim() });
  }

  async #read(name: string): Promise<string | undefined> {
    return await readFile(join(this.#dir, name), 'utf8').catch(() => undefined);
  }
}

/** Writes what comes to a file, no more than was announced, and checks it as a whole. */
async function receive(path: string, announced: AnnouncedPackage, chunks: AsyncIterable<Buffer>): Promise<void> {
  if (announced.bytes > MAX_BYTES) throw refused(`${announced.bytes} bytes, expected at most ${MAX_BYTES}`);
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > announced.bytes) break;
      hash.update(chunk);
      await file.appendFile(chunk).catch((cause: unknown) => {
        throw diskError(cause, { path, operation: 'write' });
      });
    }
  } finally {
    await file.close();
  }
  if (bytes !== announced.bytes) throw refused(`${bytes} bytes came, ${announced.bytes} were announced`);
  const found = hash.digest('hex');
  if (found !== announced.sha256)
    throw new DeployError('CHECKSUM_MISMATCH', { algorithm: 'sha256', found, expected: announced.sha256 });
}

/** The version of an unpacked package of this program. */
async function versionIn(dir: string): Promise<string> {
  for (const name of ['install.sh', 'bin/sampan-agent', 'VERSION']) {
    await access(join(dir, name)).catch((cause: unknown) => {
      throw refused(`it is no package of sampan-agent: no ${name} in it (${systemCode(cause)})`);
    });
  }
  return (await readFile(join(dir, 'VERSION'), 'utf8')).trim();
}

function refused(reason: string): DeployError<'UPGRADE_REFUSED'> {
  return new DeployError('UPGRADE_REFUSED', { reason });
}
