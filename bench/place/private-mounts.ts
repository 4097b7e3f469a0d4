import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

const MARK = 'SAMPAN_BENCH_PRIVATE_MOUNTS';

/** Whether what this process mounts is its own affair, and goes away with it. */
export function hasPrivateMounts(): boolean {
  return process.env[MARK] === 'yes';
}

/** Whether the same program can be run again with mounts of its own: needs root, and a kernel that lets root do it. */
export function canHavePrivateMounts(): boolean {
  return process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true'], { stdio: 'ignore' }).status === 0;
}

/** Runs this very command line again, with private mounts; resolves with its exit code. Signals are passed on. */
export async function againWithPrivateMounts(): Promise<number> {
  const child = spawn('unshare', ['--mount', process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    // Out of the terminal's group: Ctrl-C reaches it once, through us, and not twice.
    detached: true,
    env: { ...process.env, [MARK]: 'yes' },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
