import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { systemCode } from '@sampan/shared/errors.ts';

/** How a command that Sampan runs is to be run. */
export interface Command {
  argv: readonly string[];
  cwd?: string;
  /** Numeric ids to run as; absent: those of the agent. */
  owner?: { uid: number; gid: number } | undefined;
  /** Added to a small fixed environment (PATH, LANG, HOME); nothing else of the agent's is passed on. */
  env?: Record<string, string>;
  timeoutMs: number;
  /** What it started and left running ends with it; by default that is left alone, as a daemon is. */
  leavesNothing?: boolean;
}

/** How it ended. `ending` reads `exit 3`, `SIGKILL`, `timed out after 5 s`, `ENOENT`; `output` is the last 20 lines of both streams. */
export interface CommandResult {
  ok: boolean;
  exitCode: number | undefined;
  ending: string;
  stdout: string;
  output: string;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const MAX_KEPT_CHARACTERS = 256 * 1024;
/** A command that leaves a daemon behind never closes its pipes: after it has exited, only this long is waited for them. */
const DRAIN_MS = 250;

/**
 * Runs a command in a process group of its own. Never throws for what the command does; abort and deadline kill the whole group.
 * @throws what `signal` was aborted with.
 */
export async function runCommand(command: Command, signal: AbortSignal): Promise<CommandResult> {
  signal.throwIfAborted();
  const child = startOrNot(command);
  if (!(child instanceof ChildProcess)) return child;
  const stdout = collect(child, ['stdout']);
  const both = collect(child, ['stdout', 'stderr']);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child);
  }, command.timeoutMs);
  const onAbort = () => killGroup(child);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const end = await ended(child);
    signal.throwIfAborted();
    return {
      ok: end.exitCode === 0 && !timedOut,
      exitCode: end.exitCode,
      ending: timedOut ? `timed out after ${command.timeoutMs / 1000} s` : end.text,
      stdout: stdout(),
      output: both().trim().split('\n').slice(-20).join('\n'),
    };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    if (command.leavesNothing) killGroup(child);
  }
}

/** The child, or how its start failed: some errors (EPERM for another user's ids) are thrown and not told by an event. */
function startOrNot(command: Command): ChildProcess | CommandResult {
  try {
    return start(command);
  } catch (error) {
    const ending = systemCode(error) ?? 'did not start';
    return { ok: false, exitCode: undefined, ending, stdout: '', output: '' };
  }
}

function start(command: Command): ChildProcess {
  const [file = '', ...args] = command.argv;
  return spawn(file, args, {
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    ...(command.owner ?? {}),
    env: { PATH, LANG: 'C.UTF-8', HOME: '/', ...command.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function collect(child: ChildProcess, streams: ('stdout' | 'stderr')[]): () => string {
  let kept = '';
  for (const name of streams) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      kept = (kept + text).slice(-MAX_KEPT_CHARACTERS);
    });
  }
  return () => kept;
}

async function ended(child: ChildProcess): Promise<{ exitCode: number | undefined; text: string }> {
  const closed = once(child, 'close').catch(() => undefined);
  try {
    const [code, signalName] = (await once(child, 'exit')) as [number | null, string | null];
    await Promise.race([closed, delay(DRAIN_MS, undefined, { ref: false })]);
    return { exitCode: code ?? undefined, text: code === null ? String(signalName) : `exit ${code}` };
  } catch (error) {
    return { exitCode: undefined, text: (error as NodeJS.ErrnoException).code ?? 'did not start' };
  } finally {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

/** Never throws: it is called from timers. A group that ended meanwhile is gone; one that is not ours to kill (sudo) ends by itself or not. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
