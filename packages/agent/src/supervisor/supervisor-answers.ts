/** What supervisor says of one process. */
export interface ProgramStatus {
  /** `group:process`, or the name alone where both are the same. */
  name: string;
  group: string;
  state: string;
  /** Of a RUNNING process; 0 otherwise. */
  pid: number;
  /** The rest of the line: why it is FATAL, since when it is STOPPED. */
  description: string;
}

/** How a group that supervisord runs differs from what it has just read. */
export type Change = 'available' | 'changed' | 'disappeared';

const STATUS = /^(\S+)\s+(STOPPED|STARTING|RUNNING|BACKOFF|STOPPING|EXITED|FATAL|UNKNOWN)(?:\s+(.*))?$/;

/** The lines of `status`; undefined when it is no answer of a supervisord. */
export function parseStatus(stdout: string): ProgramStatus[] | undefined {
  const lines = linesOf(stdout).map((line) => STATUS.exec(line));
  if (lines.some((line) => line === null)) return undefined;
  return lines.map((line) => {
    const [, name = '', state = '', description = ''] = line ?? [];
    const pid = Number(/^pid (\d+),/.exec(description)?.[1] ?? 0);
    return { name, group: name.split(':')[0] ?? name, state, pid, description };
  });
}

/** The lines of `reread`; undefined when it is no answer, or a refusal. */
export function parseReread(stdout: string): Map<string, Change> | undefined {
  const lines = linesOf(stdout);
  if (lines.length === 1 && lines[0] === 'No config updates to processes') return new Map();
  const changes = lines.map((line) => /^(\S+): (available|changed|disappeared)$/.exec(line));
  if (changes.length === 0 || changes.some((change) => change === null)) return undefined;
  return new Map(changes.map((change) => [change?.[1] ?? '', change?.[2] as Change]));
}

/** The groups that `update` has loaded anew; supervisord starts those of their programs that have autostart. */
export function parseUpdated(stdout: string): Set<string> {
  const loaded = linesOf(stdout).map((line) => /^(\S+): (?:added|updated) process group$/.exec(line)?.[1]);
  return new Set(loaded.filter((name) => name !== undefined));
}

/** Supervisor's words when it could not read its configuration, from `reread` or `update`; undefined when it could. */
export function parseRefusal(stdout: string): string | undefined {
  const words = /CANT_REREAD: ([\s\S]*)/.exec(stdout)?.[1];
  // After the names that may be expanded stand all variables of supervisord's environment: noise, and nobody's business.
  return words
    ?.replace(/ Available names: .*?(?= in section |$)/s, '')
    .replace(/['"]>: file: .*$/s, '')
    .trim();
}

/** The reason in what supervisorctl prints when supervisord does not answer, without Python's trimmings. */
export function failureReason(output: string): string {
  const last = linesOf(output).at(-1) ?? '';
  const [, type = '', words = ''] = /^error: <class '([\w.]+)'>, (.*?):? file: \S+ line: \d+$/.exec(last) ?? [];
  return type === '' ? last : `${words} (${type.split('.').at(-1)})`;
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trimEnd());
}
