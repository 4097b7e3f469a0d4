import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { peakDuring, settled } from '../measure/memory-watch.ts';
import type { TreeMemory } from '../measure/process-memory.ts';
import { against, figure, table } from '../measure/table.ts';
import { ReleaseClient } from '../processes/release-client.ts';
import { startAgent } from '../processes/start-agent.ts';

const AIMS = { idle: 50, peak: 150, settled: 60 };

/** What one moment of the agent's life costs, in MiB. */
export interface MemoryFigure {
  moment: string;
  aim: number;
  memory: TreeMemory;
}

/** A shipped agent and all its children: idle, at the peak of each deploy, and when it has settled after it. */
export async function measureMemory(bench: Bench): Promise<MemoryFigure[]> {
  const { signal } = bench;
  await using agent = await startAgent(bench.bundle.agent, join(bench.dir, 'memory'));
  using client = new ReleaseClient(agent.host);
  const figures: MemoryFigure[] = [
    { moment: 'idle after its start', aim: AIMS.idle, memory: await settled(agent.pid, bench, signal) },
  ];
  for (const { name, filename } of bench.packages) {
    const order = { operationId: `memory-${name}`, filename, url: `${bench.origin.url}/${filename}` };
    const peak = await peakDuring(agent.pid, () => client.deploy(order, signal));
    figures.push({ moment: `${name}: peak`, aim: AIMS.peak, memory: peak });
    const after = await settled(agent.pid, bench, signal);
    figures.push({ moment: `${name}: settled`, aim: AIMS.settled, memory: after });
  }
  return figures;
}

export function showMemory(figures: readonly MemoryFigure[]): string {
  const rows = figures.map(({ moment, aim, memory }) => [
    moment,
    against(memory.rss, aim),
    figure(memory.pss),
    figure(memory.anonymous),
  ]);
  return `${table(['agent and children, MiB', 'RSS', 'PSS', 'anonymous'], rows)}
  RSS: resident pages of all processes, those that they share (the node binary above all) counted in each. PSS: shared pages
  divided among all processes of the machine that share them. Anonymous: heaps and stacks, what no other process and no file holds.`;
}
