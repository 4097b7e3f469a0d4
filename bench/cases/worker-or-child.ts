import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { UnpackOrder } from '@sampan/agent/unpack/unpack-order.ts';
import type { Bench } from '../bench.ts';
import * as source from '../bundle/measured-parts.ts';
import { settled } from '../measure/memory-watch.ts';
import { paired } from '../measure/paired.ts';
import type { TreeMemory } from '../measure/process-memory.ts';
import { median } from '../measure/statistics.ts';
import { figure, table } from '../measure/table.ts';
import { timed } from '../measure/timed.ts';
import { writeTarGz } from '../packages/write-tar-gz.ts';
import { writeAgentConfig } from '../processes/start-agent.ts';
import { startProgram } from '../processes/start-program.ts';
import { unpackInChild, unpackInWorker } from '../worker/unpack-in.ts';

const WORKER_SOURCE = fileURLToPath(new URL('../worker/unpack-worker.ts', import.meta.url));
const UNPACKS = 5;

/** The figures behind the choice of what unpacks. */
export interface WorkerOrChild {
  rounds: number;
  /** Median milliseconds to start and to unpack an archive of one small file. */
  startMs: { childBundled: number; childSource: number; workerBundled: number; workerSource: number };
  unpacks: number;
  /** What a bundled agent holds when it has settled after that many unpacks of the php package, in MiB. */
  after: { child: TreeMemory; worker: TreeMemory };
}

export async function measureWorkerOrChild(bench: Bench): Promise<WorkerOrChild> {
  const startMs = await measureStart(bench);
  const after = { child: await memoryAfter(bench, 'child'), worker: await memoryAfter(bench, 'worker') };
  return { rounds: rounds(bench).rounds, startMs, unpacks: unpacks(bench), after };
}

export function showWorkerOrChild(result: WorkerOrChild): string {
  const { startMs, after } = result;
  const memory = ({ resident, anonymous }: TreeMemory) => [figure(resident), figure(anonymous)];
  const rows = [
    ['child process', figure(startMs.childBundled), figure(startMs.childSource), ...memory(after.child)],
    ['worker thread', figure(startMs.workerBundled), figure(startMs.workerSource), ...memory(after.worker)],
  ];
  const head = [
    'what unpacks',
    'start, ms',
    'from source',
    `resident after ${result.unpacks} unpacks, MiB`,
    'of it anonymous',
  ];
  return `${table(head, rows)}\n  Start: to unpack one small file, ${result.rounds} rounds. Memory: of the agent with its children, settled.`;
}

async function measureStart(bench: Bench): Promise<WorkerOrChild['startMs']> {
  const { signal, bundle } = bench;
  const dir = join(bench.dir, 'start');
  await mkdir(dir, { recursive: true });
  const archive = join(dir, 'one.tar.gz');
  const content = Buffer.from('one file\n');
  await writeTarGz([{ type: 'File', path: 'one/file', mode: 0o644, content }], archive, signal);
  const bytes = await readFile(archive);
  const start = (unpack: (order: UnpackOrder) => Promise<unknown>) => async () => {
    const stagingDir = join(dir, 'staging');
    await mkdir(stagingDir);
    const ms = await timed(() => unpack(orderFor(stagingDir)));
    await rm(stagingDir, { recursive: true });
    return ms;
  };
  const times = await paired(
    {
      childBundled: start((order) => unpackInChild(bundle.parts.UnpackProcess, order, once(bytes))),
      childSource: start((order) => unpackInChild(source.UnpackProcess, order, once(bytes))),
      workerBundled: start((order) => unpackInWorker(bundle.unpackWorker, order, once(bytes))),
      workerSource: start((order) => unpackInWorker(WORKER_SOURCE, order, once(bytes))),
    },
    rounds(bench),
    signal,
  );
  return {
    childBundled: median(times.childBundled),
    childSource: median(times.childSource),
    workerBundled: median(times.workerBundled),
    workerSource: median(times.workerSource),
  };
}

async function memoryAfter(bench: Bench, way: 'child' | 'worker'): Promise<TreeMemory> {
  const { bundle, signal } = bench;
  const root = join(bench.dir, way);
  const config = writeAgentConfig(root);
  const args = [bundle.unpackHost, config, `${bench.origin.url}/php.tar.gz`, `${unpacks(bench)}`];
  if (way === 'worker') args.push(bundle.unpackWorker);
  await using host = await startProgram(args, { ready: 'has unpacked', cwd: root });
  return await settled(host.pid, bench, signal);
}

function orderFor(stagingDir: string): UnpackOrder {
  const { unpack } = source.agentConfigSchema.parse({});
  return { stagingDir, filename: 'one.tar.gz', kind: 'tar', owner: null, allowLinksTo: [], limits: unpack };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

function rounds({ quick }: Bench): { warmups: number; rounds: number } {
  return quick ? { warmups: 0, rounds: 1 } : { warmups: 3, rounds: 21 };
}

function unpacks({ quick }: Bench): number {
  return quick ? 1 : UNPACKS;
}
