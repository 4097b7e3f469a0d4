import { DeployError } from '@sampan/shared/errors.ts';
import { runCommand } from './run-command.ts';
import type { Synced } from './syncfs.ts';

/** syncfs waits for everybody's dirty pages, not only ours: 3 to 304 ms on a quiet disk, minutes on a bad day. */
const DEADLINE_MS = 10 * 60_000;

/** A thread that can wait for the kernel; see artifact/unpack-thread.ts. */
interface SyncThread {
  sync(path: string, signal: AbortSignal): Promise<Synced | undefined>;
}

/**
 * Makes everything that was written to the filesystem of `path` durable, with one syncfs(2): by a thread that is there
 * and has nothing else to do, or else by `sync -f` of coreutils ≥ 8.24. The call blocks, and cannot be interrupted inside
 * our process; but to start a process for it costs a small deploy a tenth of its processor time.
 * @throws DISK_ERROR when the kernel could not write something back.
 */
export async function syncFilesystem(path: string, signal: AbortSignal, thread?: SyncThread): Promise<void> {
  const { reason } = (thread && (await syncByThread(path, signal, thread))) ?? (await syncByProcess(path, signal));
  if (reason !== undefined) throw new DeployError('DISK_ERROR', { path, operation: 'syncfs', reason });
}

async function syncByThread(path: string, signal: AbortSignal, thread: SyncThread): Promise<Synced | undefined> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  try {
    return await thread.sync(path, AbortSignal.any([signal, deadline]));
  } catch (error) {
    if (!deadline.aborted) throw error;
    return { reason: `timed out after ${DEADLINE_MS / 1000} s` };
  }
}

async function syncByProcess(path: string, signal: AbortSignal): Promise<Synced> {
  const result = await runCommand({ argv: ['sync', '-f', path], timeoutMs: DEADLINE_MS }, signal);
  return { reason: result.ok ? undefined : `${result.ending} ${result.output}`.trim() };
}
