import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { keptTempDir } from './temp-dir.ts';

/** A Debian of the bare minimum, as an archive: made once, and unpacked for every machine. */
const IMAGE = fileURLToPath(new URL('../../node_modules/.cache/sampan-machine/bookworm-1.tar', import.meta.url));
const INCLUDED = 'systemd,systemd-sysv,dbus,supervisor,curl,ca-certificates';
const BOOT_TIMEOUT_MS = 60_000;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Machines that this process has booted, for names that no two have at one time. */
let booted = 0;

/** A Debian with a systemd of its own, booted by systemd-nspawn in namespaces of its own. */
export class Machine implements AsyncDisposable {
  readonly #root: string;
  readonly #arguments: readonly string[];
  #nspawn: ChildProcess;

  /**
   * Boots one. `shared` is `/shared` in it, read only. Its network is loopback alone, or a namespace that outlives its reboots:
   * a path such as `/proc/1234/ns/net`. Needs root, debootstrap and systemd-nspawn.
   */
  static async boot(shared: string, { network }: { network?: string } = {}): Promise<Machine> {
    makeImage();
    const root = join(keptTempDir(), 'root');
    mkdirSync(root);
    run('tar', ['-xf', IMAGE, '-C', root, '--numeric-owner', '--xattrs']);
    const machine = new Machine(root, shared, network);
    try {
      await machine.#hasBooted();
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(root: string, shared: string, network: string | undefined) {
    this.#root = root;
    booted += 1;
    const place = ['-D', root, `--bind-ro=${shared}:/shared`, `--machine=sampan-${process.pid}-${booted}`];
    const net = network === undefined ? '--private-network' : `--network-namespace-path=${network}`;
    this.#arguments = [...place, net, '--boot', '--register=no', '--keep-unit', '--console=pipe'];
    this.#nspawn = this.#start();
  }

  /** As when its power is cut and comes back: every process in it is killed at once, and the same disk boots again. */
  async reset(): Promise<void> {
    await this.#kill();
    this.#nspawn = this.#start();
    await this.#hasBooted();
  }

  #start(): ChildProcess {
    return spawn('systemd-nspawn', this.#arguments, { stdio: 'ignore' });
  }

  async #hasBooted(): Promise<void> {
    const hasBooted = () => /^(running|degraded)\n$/.test(this.try('systemctl is-system-running --wait').stdout);
    await vi.waitUntil(hasBooted, { timeout: BOOT_TIMEOUT_MS, interval: 200 });
  }

  async #kill(): Promise<void> {
    const ended = new Promise((resolve) => this.#nspawn.once('close', resolve));
    const leader = this.#leader();
    if (leader !== undefined) process.kill(leader, 'SIGKILL');
    this.#nspawn.kill('SIGTERM');
    await ended;
  }

  /** Runs a shell script in it. @throws Error with all it said, when it fails. */
  sh(script: string): string {
    const { code, stdout, stderr } = this.try(script);
    if (code !== 0) throw new Error(`${script}\nexit ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Runs a shell script in it, however that ends. */
  try(script: string): { code: number | null; stdout: string; stderr: string } {
    const { status, stdout, stderr } = spawnSync('nsenter', this.#enter(script), {
      encoding: 'utf8',
      timeout: 120_000,
    });
    return { code: status, stdout, stderr };
  }

  /** Starts a shell script in it; resolves with what it said when it has ended. */
  async begin(script: string): Promise<string> {
    const child = spawn('nsenter', this.#enter(script), { stdio: ['ignore', 'pipe', 'inherit'] });
    return (await child.stdout.setEncoding('utf8').toArray()).join('');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill();
    await rm(this.#root, { recursive: true, force: true });
  }

  #enter(script: string): string[] {
    const target = ['-t', `${this.#leader() ?? ''}`, '-m', '-u', '-i', '-n', '-p', '-C', '-r', '-w'];
    return [...target, 'env', '-i', `PATH=${PATH}`, 'HOME=/root', 'LANG=C.UTF-8', 'sh', '-c', script];
  }

  /** Its first process, as this machine sees it. */
  #leader(): number | undefined {
    const { pid } = this.#nspawn;
    try {
      const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
      return first ? Number(first) : undefined;
    } catch {
      return undefined;
    }
  }
}

function makeImage(): void {
  if (existsSync(IMAGE)) return;
  const root = join(keptTempDir(), 'root');
  run('debootstrap', ['--variant=minbase', `--include=${INCLUDED}`, 'bookworm', root]);
  mkdirSync(join(IMAGE, '..'), { recursive: true });
  run('tar', ['-cf', `${IMAGE}.new`, '-C', root, '--numeric-owner', '--xattrs', '.']);
  renameSync(`${IMAGE}.new`, IMAGE);
}

function run(file: string, args: string[]): void {
  const { status, error, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', timeout: 10 * 60_000 });
  if (status !== 0) throw new Error(`${file}: ${error?.message ?? `exit ${status}`}\n${stdout}${stderr}`.slice(-4000));
}
