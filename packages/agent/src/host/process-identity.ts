import { readFile } from 'node:fs/promises';
import { systemCode } from '@sampan/shared/errors.ts';

/**
 * When a process started, in clock ticks since boot (field 22 of /proc/<pid>/stat): with the pid it names one process for
 * good, pids being used again. Undefined where there is no such process.
 */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command's name, and may hold spaces and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ESRCH') return undefined;
    throw error;
  }
}

/** Kills the process that had this pid, if it is still the same. */
export async function killIfSame(pid: number, startTime: string): Promise<void> {
  if ((await startTimeOf(pid)) !== startTime) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}
