import { DeployError } from '@sampan/shared/errors.ts';
import { runCommand } from './run-command.ts';

/** syncfs waits for everybody's dirty pages, not only ours: 3 to 304 ms on a quiet disk, minutes on a bad day. */
const DEADLINE_MS = 10 * 60_000;

/**
 * Makes everything that was written to the filesystem of `path` durable, with one syncfs(2), by `sync -f` of coreutils ≥ 8.24.
 * A child of its own: the call blocks, and cannot be interrupted inside our process.
 * @throws DISK_ERROR when the kernel could not write something back.
 */
export async function syncFilesystem(path: string, signal: AbortSignal): Promise<void> {
  const result = await runCommand({ argv: ['sync', '-f', path], timeoutMs: DEADLINE_MS }, signal);
  if (result.ok) return;
  throw new DeployError('DISK_ERROR', {
    path,
    operation: 'syncfs',
    reason: `${result.ending} ${result.output}`.trim(),
  });
}
