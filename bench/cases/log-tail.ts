import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { paired } from '../measure/paired.ts';
import { median, medianRatio } from '../measure/statistics.ts';
import { against, figure, table } from '../measure/table.ts';
import { timed } from '../measure/timed.ts';
import { writeLog } from '../packages/write-log.ts';
import { ReleaseClient } from '../processes/release-client.ts';
import { runProgram } from '../processes/run-program.ts';
import { startAgent } from '../processes/start-agent.ts';

const LINES = 999;
const LOG_BYTES = 2 * 1024 ** 3;
const QUICK_LOG_BYTES = 32 * 1024 ** 2;
/** Not slower than `tail`. */
const AIM = 1;
const LIMITS = { lines: LINES, maxBytes: 64 * 1024 ** 2, follow: false };

/** Medians in milliseconds; ratios to the whole `tail` process. */
export interface LogTail {
  logMib: number;
  rounds: number;
  tailMs: number;
  /** A process that does nothing. */
  processStartMs: number;
  inProcessMs: number;
  rpcMs: number;
  /** Our reading and the start of a process together: as if we had to be started for it, like `tail`. */
  withProcessStartRatio: number;
  rpcRatio: number;
}

/** The last 999 lines of a big log: `tail -n 999` against our reading, alone and through a running agent. */
export async function measureLogTail(bench: Bench): Promise<LogTail> {
  const { quick, signal } = bench;
  await using agent = await startAgent(bench.bundle.agent, join(bench.dir, 'agent'));
  using client = new ReleaseClient(agent.host);
  const path = join(agent.logDir, 'bench/info.log');
  const logBytes = Math.min(quick ? QUICK_LOG_BYTES : LOG_BYTES, await half(bench.dir));
  await writeLog(path, logBytes, signal);
  const { readLog } = bench.bundle.parts;
  const rounds = { warmups: 3, rounds: quick ? 3 : 51 };
  const times = await paired(
    {
      tail: () => timed(() => runProgram(['tail', '-n', `${LINES}`, path], signal)),
      start: () => timed(() => runProgram(['true'], signal)),
      inProcess: () => timed(() => drain(readLog(path, LIMITS, signal))),
      rpc: () => timed(() => client.readLog('bench', LINES, signal)),
    },
    rounds,
    signal,
  );
  return {
    logMib: logBytes / 1024 ** 2,
    rounds: rounds.rounds,
    tailMs: median(times.tail),
    processStartMs: median(times.start),
    inProcessMs: median(times.inProcess),
    rpcMs: median(times.rpc),
    withProcessStartRatio: (median(times.inProcess) + median(times.start)) / median(times.tail),
    rpcRatio: medianRatio(times.rpc, times.tail),
  };
}

export function showLogTail(result: LogTail): string {
  const rows = [
    ['tail -n 999, a whole process', figure(result.tailMs), '1'],
    ['true, a process that does nothing', figure(result.processStartMs), ''],
    ['readLog, in a process that runs', figure(result.inProcessMs), ''],
    [
      'readLog and the start of a process',
      figure(result.inProcessMs + result.processStartMs),
      against(result.withProcessStartRatio, AIM),
    ],
    ['ReadLog, asked of the running agent by gRPC', figure(result.rpcMs), against(result.rpcRatio, AIM)],
  ];
  return `${table([`last ${LINES} lines of ${figure(result.logMib)} MiB, ms`, 'median', 'ratio'], rows)}\n  ${result.rounds} rounds each.`;
}

async function drain(chunks: AsyncIterable<{ text: string }>): Promise<number> {
  let characters = 0;
  for await (const { text } of chunks) characters += text.length;
  return characters;
}

/** Half of the room that is left there. */
async function half(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return (bavail * bsize) / 2;
}
