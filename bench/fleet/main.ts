import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleAgent } from '../bundle/agent-bundle.ts';
import { table } from '../measure/table.ts';
import { describeMachine, type Machine } from '../place/machine.ts';
import { againWithPrivateMounts, canHavePrivateMounts, hasPrivateMounts } from '../place/private-mounts.ts';
import { openVolume } from '../place/volume.ts';
import { freePort } from '../processes/free-port.ts';
import { untilInterrupted } from '../processes/until-interrupted.ts';
import { measureBeside, showBeside } from './cases/beside.ts';
import { measureGrowth, showGrowth } from './cases/growth.ts';
import { makeControllerHome } from './controller/controller-home.ts';
import type { FleetBench, FleetTable } from './fleet-bench.ts';
import { type Options, type Part, parseOptions, USAGE } from './options.ts';
import { writeDocs } from './write-docs.ts';

const VOLUME_BYTES = 4 * 1024 ** 3;
const QUICK_VOLUME_BYTES = 256 * 1024 ** 2;

/** What a part measured: as data, and as a table. */
interface Measured {
  data: unknown;
  shown: FleetTable;
}

const measures: Record<Part, (bench: FleetBench) => Promise<Measured>> = {
  growth: measured(measureGrowth, showGrowth),
  beside: measured(measureBeside, showBeside),
};

if (import.meta.main) process.exitCode = await main();

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  if (process.platform !== 'linux') {
    console.error(
      'The hosts of this benchmark are addresses such as 127.0.1.1, which only Linux has without being told.',
    );
    return 1;
  }
  if (options.dir === undefined && !hasPrivateMounts() && canHavePrivateMounts()) return againWithPrivateMounts();
  const interrupted = untilInterrupted();
  try {
    await run(options, interrupted);
    return 0;
  } catch (error) {
    if (!interrupted.aborted) throw error;
    console.error('Interrupted; everything is cleaned up.');
    return 130;
  }
}

async function run(options: Options, signal: AbortSignal): Promise<void> {
  const { quick, json, parts } = options;
  await using volume = await openVolume(options.dir, quick ? QUICK_VOLUME_BYTES : VOLUME_BYTES);
  const machine = describeMachine(volume.description);
  console.log(heading(machine, volume.dir, options));
  const bundle = await bundleAgent(join(volume.dir, 'bundle'));
  const agentPort = await freePort();
  const results: Record<string, unknown> = {};
  const tables: FleetTable[] = [];
  for (const part of parts) {
    const dir = join(volume.dir, part);
    const homeDir = join(dir, 'controller');
    await mkdir(homeDir, { recursive: true });
    const home = await makeControllerHome(homeDir, agentPort, signal);
    const { data, shown } = await measures[part]({ quick, signal, bundle, agentPort, dir, home });
    await rm(dir, { recursive: true });
    results[part] = data;
    tables.push(shown);
    console.log(`\n${inText(shown)}`);
  }
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ quick, machine, results }, null, 2)}\n`);
  if (options.writeDocs) await writeDocs(tables, machine);
}

function measured<T>(measure: (bench: FleetBench) => Promise<T>, show: (result: T) => FleetTable) {
  return async (bench: FleetBench): Promise<Measured> => {
    const data = await measure(bench);
    return { data, shown: show(data) };
  };
}

function inText({ head, rows, notes }: FleetTable): string {
  return [table(head, rows), ...notes.map((note) => `  ${note}`)].join('\n');
}

function heading(machine: Machine, dir: string, { quick }: Options): string {
  const { cores, cpu, memoryGib, kernel, node, filesystem } = machine;
  return [
    `Sampan with many hosts${quick ? ', a smoke run: its figures say nothing' : ''}`,
    `  machine     ${cores} cores (${cpu}), ${memoryGib} GiB, Linux ${kernel}`,
    `  directory   ${dir}`,
    `  filesystem  ${filesystem}`,
    `  programs    Node ${node}`,
  ].join('\n');
}
