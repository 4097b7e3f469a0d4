import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { keptTempDir } from '../../helpers/temp-dir.ts';
import { until } from './until.ts';

/** Longer than it takes to see that a call was made. */
const HELD_US = 5_000_000;

/** The calls that make up the order of writes. Some exist on some machines only. */
export const ORDERED_CALLS = [
  'rename',
  'renameat',
  'renameat2',
  'fsync',
  'fdatasync',
  'symlink',
  'symlinkat',
  'mkdir',
  'mkdirat',
  'unlink',
  'unlinkat',
  'rmdir',
] as const;

/** Which of its threads a process makes a call with: with its main one, or, in Node, with the one of its pool (UV_THREADPOOL_SIZE=1). */
export type CallingThread = 'main' | 'pool';

/** The `when`-th call of a name that a thread makes, counted from 1, as strace counts. `text` is the call as strace shows it. */
export interface Call {
  name: string;
  thread: CallingThread;
  when: number;
  text: string;
}

/** How a call is found again in another run. */
export type CallPlace = Pick<Call, 'name' | 'thread' | 'when'>;

/** Whether it is one that makes something durable. */
export function isSync({ name }: Call): boolean {
  return name === 'fsync' || name === 'fdatasync';
}

/** strace on a process that runs. */
export interface Tracing {
  /** Resolves when strace has ended, as it does when the process has. */
  ended: Promise<unknown>;
  /** What was seen so far. */
  lines(): string[];
  /** Lets the process go on untraced; what was seen so far. */
  detach(): Promise<string[]>;
  /** Ends strace, whatever it holds back; to what it traces that is nothing. */
  abandon(): void;
}

/**
 * Traces these calls of a process: of all its threads unless one is named, not of its children, which have calls of their own,
 * unless the options say `-f`. @throws with what strace says, where it cannot.
 */
export async function trace(
  pid: number,
  calls: readonly string[],
  { options = [], thread }: { options?: readonly string[]; thread?: CallingThread } = {},
): Promise<Tracing> {
  const dir = keptTempDir();
  const log = `${dir}/strace`;
  const traced = options.includes('-f') ? [String(pid)] : threadsOf(pid, thread);
  const set = calls.map((call) => `?${call}`).join(',');
  const child = spawn(
    'strace',
    ['-y', '-s', '400', '-o', log, '-e', `trace=${set}`, ...options, ...traced.flatMap((id) => ['-p', id])],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = once(child, 'exit');
  await attached(child.stderr, { count: traced.length, ended });
  const lines = () => readFileSync(log, 'utf8').split('\n').filter(Boolean);
  return {
    ended,
    lines,
    abandon: () => child.kill('SIGKILL'),
    async detach() {
      child.kill('SIGINT');
      await ended;
      const seen = lines();
      rmSync(dir, { recursive: true, force: true });
      return seen;
    },
  };
}

/** The process is killed as it makes this call, before the call is made. */
export function killAt(pid: number, { name, thread, when }: CallPlace): Promise<Tracing> {
  return trace(pid, [name], { options: ['-e', `inject=${name}:signal=SIGKILL:when=${when}`], thread });
}

/** The process is killed when it has made this call: strace holds it back there, before it does anything else. */
export async function killAfter(pid: number, { name, thread, when }: CallPlace): Promise<Tracing> {
  const options = ['-e', `inject=${name}:delay_exit=${HELD_US}:when=${when}`];
  const tracing = await trace(pid, [name], { options, thread });
  let isOver = false;
  void tracing.ended.then(() => {
    isOver = true;
  });
  const struck = until('the call is made', () => isOver || tracing.lines().some(isHeld)).then(() => {
    if (isOver) return;
    process.kill(pid, 'SIGKILL');
    tracing.abandon();
  });
  // A call that is never made is found out when the tracing ends.
  struck.catch(() => undefined);
  return tracing;
}

/** Whether a line of a trace is a call after which its thread was held back. */
export function isHeld(line: string): boolean {
  return line.endsWith('(DELAYED)');
}

/** This call fails with `error`, and does nothing. */
export function failAt(pid: number, { name, thread, when }: CallPlace, error: string): Promise<Tracing> {
  return trace(pid, [name], { options: ['-e', `inject=${name}:error=${error}:when=${when}`], thread });
}

/** Every such call of a process and of its children fails with `error`. */
export function failAll(pid: number, name: string, error: string): Promise<Tracing> {
  return trace(pid, [name], { options: ['-f', '-e', `inject=${name}:error=${error}`] });
}

/** The calls in the lines of a trace of the process `pid`, in order, counted by thread and name. */
export function callsIn(pid: number, lines: readonly string[]): Call[] {
  const counts = new Map<string, number>();
  return lines.flatMap((line) => {
    const [, id, name, rest] = /^(\d+)\s+(\w+)(\(.*)$/.exec(line) ?? [];
    if (id === undefined || name === undefined || rest === undefined) return [];
    const thread = Number(id) === pid ? 'main' : 'pool';
    const when = (counts.get(`${thread} ${name}`) ?? 0) + 1;
    counts.set(`${thread} ${name}`, when);
    return [{ name, thread, when, text: (name + rest).replace(/\d+</g, '<') }];
  });
}

/** Not those that Node's programs start for themselves: what unpacks is no part of the order of writes, as in a process of its own. */
function threadsOf(pid: number, thread: CallingThread | undefined): string[] {
  const ids = readdirSync(`/proc/${pid}/task`).filter((id) => nameOf(pid, id) !== 'WorkerThread');
  return ids.filter((id) => thread === undefined || (id === String(pid)) === (thread === 'main'));
}

function nameOf(pid: number, thread: string): string {
  return readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim();
}

async function attached(
  stderr: NodeJS.ReadableStream,
  { count, ended }: { count: number; ended: Promise<unknown> },
): Promise<void> {
  const said: string[] = [];
  const all = new Promise<void>((resolve) => {
    createInterface({ input: stderr }).on('line', (line) => {
      said.push(line);
      if (said.filter((text) => / attached/.test(text)).length === count) resolve();
    });
  });
  const died = ended.then(() => {
    throw new Error(`strace ended: ${said.join('\n')}`);
  });
  died.catch(() => undefined);
  await Promise.race([all, died]);
}
