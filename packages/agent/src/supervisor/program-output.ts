import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { namespec, type ProgramProcess } from './program-groups.ts';
import type { ProjectPrograms } from './project-programs.ts';
import type { SupervisorCtl } from './supervisor-ctl.ts';

const MAX_BYTES = 4000;
const MAX_LINES = 20;

/**
 * The last lines that a process has printed since `since`: of its stderr, else of its stdout. Read from the log file
 * where the config names one, as supervisor cannot send what is not valid XML (colours); else asked of supervisor.
 */
export async function lastOutput(
  name: string,
  { programs, since, ctl }: { programs: ProjectPrograms; since: Date; ctl: SupervisorCtl },
  signal: AbortSignal,
): Promise<string> {
  const process = processNamed(name, programs);
  for (const stream of ['stderr', 'stdout'] as const) {
    const path = stream === 'stderr' ? process?.stderrLog : process?.stdoutLog;
    const text =
      path === undefined ? await ctl.tail(name, { stream, bytes: MAX_BYTES }, signal) : await endOf(path, since);
    const lines = text.trim().split('\n').slice(-MAX_LINES).join('\n');
    if (lines !== '') return lines;
  }
  return '';
}

function processNamed(name: string, { groups, shared }: ProjectPrograms): ProgramProcess | undefined {
  const inGroups = groups.flatMap((group) =>
    group.programs.flatMap(({ processes }) =>
      processes.filter((process) => namespec(group.name, process.name) === name),
    ),
  );
  const alone = shared.filter((one) => one.name === name).flatMap(({ program }) => program.processes);
  return inGroups[0] ?? alone.find((process) => name.endsWith(`:${process.name}`));
}

/** The end of a log file; empty where it is none, or has not been written to since. */
async function endOf(path: string, since: Date): Promise<string> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stats = await file.stat();
    if (!stats.isFile() || stats.mtime < since) return '';
    const start = Math.max(0, stats.size - MAX_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, start);
    // Starting in the middle may cut a character in half, and a line.
    const text = buffer.toString('utf8', 0, bytesRead);
    return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } catch {
    return '';
  }
}
