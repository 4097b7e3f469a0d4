import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { identityOf, processTree } from '../../packages/agent/src/host/processes.ts';
import { type CommandResult, runCommand } from '../../packages/agent/src/host/run-command.ts';
import { listens } from './listens.ts';
import { keptTempDir } from './temp-dir.ts';

/** A real supervisord of a test's own: nothing of the machine's own supervisor is touched. */
export interface TestSupervisord {
  /** Holds everything below. */
  dir: string;
  /** supervisord.conf; it includes `<includeDir>/*.conf`. */
  conf: string;
  includeDir: string;
  /** What an agent takes as `supervisor.ctl`. */
  ctl: [string, ...string[]];
  pid: number;
  /** Writes a file of somebody else into the include directory; with it, `update` it. */
  include(name: string, text: string): string;
  /** Runs supervisorctl; what it exits with and prints. */
  run(...words: string[]): Promise<CommandResult>;
  /** The pid of each RUNNING process by its name, for comparing. */
  pids(): Promise<Record<string, number>>;
  /** The same, once all of these run. */
  untilRunning(...names: string[]): Promise<Record<string, number>>;
  /** SIGKILL to supervisord alone: its programs live on until `stop`. */
  kill(): Promise<void>;
  /** Ends supervisord and every process that it has started, then removes the directory. Safe to repeat. */
  stop(): Promise<void>;
}

const READY_MS = 20_000;

/** One for the running test, stopped when the test has finished. */
export async function testSupervisord(): Promise<TestSupervisord> {
  const supervisord = await startSupervisord();
  onTestFinished(() => supervisord.stop());
  return supervisord;
}

/** One for a set-up hook or a program: the caller stops it. Without `dir`, in a temporary directory. */
export async function startSupervisord(dir: string = keptTempDir()): Promise<TestSupervisord> {
  const conf = writeConfig(dir);
  // A set-up hook that fails further on never comes to its `stop`: when this process ends, the kernel asks supervisord
  // to end as well, which ends its programs.
  const argv = ['--pdeathsig', 'TERM', 'supervisord', '-n', '-c', conf];
  const daemon = spawn('setpriv', argv, { cwd: dir, stdio: 'ignore', detached: true });
  const exited = once(daemon, 'exit');
  await once(daemon, 'spawn');
  const pid = daemon.pid ?? 0;
  await untilListening(join(dir, 's.sock'), exited);
  const ctl: [string, ...string[]] = ['supervisorctl', '-c', conf];
  const run = (...words: string[]) =>
    runCommand({ argv: [...ctl, ...words], timeoutMs: 30_000 }, new AbortController().signal);
  const orphans = new Map<number, number>();
  const noteChildren = async () => {
    for (const child of (await processTree(pid)).slice(1)) {
      const identity = await identityOf(child);
      if (identity) orphans.set(child, identity.startTicks);
    }
  };
  const includeDir = join(dir, 'conf.d');
  const pids = async () => {
    const lines = (await run('status')).stdout.split('\n').map((line) => /^(\S+)\s+RUNNING\s+pid (\d+)/.exec(line));
    return Object.fromEntries(lines.flatMap((line) => (line ? [[line[1], Number(line[2])]] : [])));
  };
  return {
    dir,
    conf,
    includeDir,
    ctl,
    pid,
    include(name, text) {
      writeFileSync(join(includeDir, name), text);
      return join(includeDir, name);
    },
    run,
    pids,
    async untilRunning(...names) {
      const deadline = Date.now() + READY_MS;
      for (;;) {
        const running = await pids();
        if (names.every((name) => running[name] !== undefined)) return running;
        if (Date.now() > deadline) throw new Error(`not running:\n${(await run('status')).stdout}`);
      }
    },
    async kill() {
      await noteChildren();
      daemon.kill('SIGKILL');
      await exited;
    },
    async stop() {
      await noteChildren();
      daemon.kill('SIGKILL');
      await exited;
      await killAll(orphans);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function writeConfig(dir: string): string {
  for (const sub of ['conf.d', 'childlogs']) mkdirSync(join(dir, sub), { recursive: true });
  const conf = join(dir, 'supervisord.conf');
  writeFileSync(
    conf,
    `[unix_http_server]
file=${dir}/s.sock
[supervisord]
logfile=${dir}/supervisord.log
pidfile=${dir}/supervisord.pid
childlogdir=${dir}/childlogs
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${dir}/s.sock
[include]
files=conf.d/*.conf
`,
  );
  return conf;
}

async function untilListening(socket: string, exited: Promise<unknown>): Promise<void> {
  let over = false;
  void exited.then(() => {
    over = true;
  });
  const deadline = Date.now() + READY_MS;
  while (!over && Date.now() < deadline) {
    if (await listens(socket)) return;
    await delay(20);
  }
  const log = await readFile(join(socket, '../supervisord.log'), 'utf8').catch(() => '(no log)');
  throw new Error(`supervisord did not come up:\n${log}`);
}

/** By pid and start time: a pid that is somebody else's by now is left alone. */
async function killAll(processes: ReadonlyMap<number, number>): Promise<void> {
  for (const [pid, startTicks] of processes) {
    if ((await identityOf(pid))?.startTicks === startTicks) process.kill(pid, 'SIGKILL');
  }
}
