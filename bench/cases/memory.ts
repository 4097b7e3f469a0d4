import { join } from 'node:path';
import { AGENT_START, type ProgramStart } from '../../packaging/program-start.ts';
import type { Bench } from '../bench.ts';
import { peakDuring, settled } from '../measure/memory-watch.ts';
import type { TreeMemory } from '../measure/process-memory.ts';
import { against, figure, table } from '../measure/table.ts';
import { ReleaseClient } from '../processes/release-client.ts';
import { startAgent } from '../processes/start-agent.ts';
import { startProgram } from '../processes/start-program.ts';

/** A program that only waits: what Node itself costs. */
const BARE_PROGRAM = `console.log('{"msg":"waits"}'); setInterval(() => {}, 1_000_000);`;
const PLAIN: ProgramStart = { flags: [], env: {} };
const AIMS = { idle: 50, peak: 150, settled: 60 };

/** What one moment of the agent's life costs, in MiB, by how Node was started. */
export interface MemoryFigure {
  moment: string;
  /** None for Node itself. */
  aim: number | undefined;
  plain: TreeMemory;
  shipped: TreeMemory;
}

/** A shipped agent and all its children: idle, at the peak of each deploy, and when it has settled after it. */
export async function measureMemory(bench: Bench): Promise<MemoryFigure[]> {
  const plain = await lifeOf('plain', PLAIN, bench);
  const shipped = await lifeOf('shipped', AGENT_START, bench);
  return plain.map(({ moment, aim, memory }, index) => ({
    moment,
    aim,
    plain: memory,
    shipped: shipped[index]?.memory ?? memory,
  }));
}

export function showMemory(figures: readonly MemoryFigure[]): string {
  const cells = ({ resident, rss, anonymous }: TreeMemory, aim: number | undefined) => [
    aim === undefined ? figure(resident) : against(resident, aim),
    figure(anonymous),
    figure(rss),
  ];
  const rows = figures.map(({ moment, aim, plain, shipped }) => [moment, ...cells(shipped, aim), ...cells(plain, aim)]);
  const head = ['resident', 'anon', 'RSS sum'];
  return `${table(['agent and children, MiB', ...head, ...head.map((name) => `plain: ${name}`)], rows)}
  resident: all pages, those of files counted once for all processes of the agent. anon: of it heaps and stacks, what no
  file holds (of the rest the node binary is nearly all). RSS sum: those pages counted in each process. With --json also PSS.
  The agent is started as it is shipped: ${Object.entries(AGENT_START.env)
    .map((pair) => pair.join('='))
    .join(' ')} node ${AGENT_START.flags.join(' ')}; plain: without any of these.`;
}

interface Moment {
  moment: string;
  aim: number | undefined;
  memory: TreeMemory;
}

async function lifeOf(name: string, start: ProgramStart, bench: Bench): Promise<Moment[]> {
  const { signal } = bench;
  await using agent = await startAgent(bench.bundle.agent, join(bench.dir, name), start);
  using client = new ReleaseClient(agent.host);
  const moments: Moment[] = [
    { moment: 'Node, doing nothing', aim: undefined, memory: await bareNode(start, bench) },
    { moment: 'idle after its start', aim: AIMS.idle, memory: await settled(agent.pid, bench, signal) },
  ];
  for (const { name, filename } of bench.packages) {
    const order = { operationId: `memory-${name}`, filename, url: `${bench.origin.url}/${filename}` };
    const peak = await peakDuring(agent.pid, () => client.deploy(order, signal));
    moments.push({ moment: `${name}: peak`, aim: AIMS.peak, memory: peak });
    const after = await settled(agent.pid, bench, signal);
    moments.push({ moment: `${name}: settled`, aim: AIMS.settled, memory: after });
  }
  return moments;
}

async function bareNode({ flags, env }: ProgramStart, { dir, quick, signal }: Bench): Promise<TreeMemory> {
  await using node = await startProgram([...flags, '--eval', BARE_PROGRAM], { ready: 'waits', cwd: dir, env });
  return await settled(node.pid, { quick }, signal);
}
