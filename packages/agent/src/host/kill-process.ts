import { setTimeout as delay } from 'node:timers/promises';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import { identityOf } from './processes.ts';

const GONE_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 10;

/**
 * When a process started, in clock ticks since boot: with the pid it names one process for good, pids being used again.
 * Undefined where there is no such process, or only its zombie.
 */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  return (await identityOf(pid))?.startTicks.toString();
}

/**
 * Kills the process that had this pid, if it is still the same one, and returns once it is gone.
 * @throws DISK_ERROR when it does not end: a system call holds it, and what it writes to must not be touched.
 */
export async function killIfSame(pid: number, startTime: string): Promise<void> {
  if ((await startTimeOf(pid)) !== startTime) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
  const giveUpAt = performance.now() + GONE_WITHIN_MS;
  while ((await startTimeOf(pid)) === startTime) {
    if (performance.now() > giveUpAt) {
      throw new DeployError('DISK_ERROR', { path: `/proc/${pid}`, operation: 'kill', reason: 'still there' });
    }
    await delay(LOOK_EVERY_MS);
  }
}
