import type { StartedProcess } from '../../helpers/start-process.ts';

/** Resolves when a process writes this message to its log, from now on. */
export function logsAgain({ log, logged }: StartedProcess, message: string): Promise<unknown> {
  const past = new Set(log);
  return logged((line) => !past.has(line) && line.msg === message);
}
