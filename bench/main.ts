import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { bundleAgent } from './bundle/agent-bundle.ts';
import { measureLogTail, showLogTail } from './cases/log-tail.ts';
import { measureMemory, showMemory } from './cases/memory.ts';
import { measureSmallRelease, showSmallRelease } from './cases/small-release.ts';
import { measureUnpackSpeed, showUnpackSpeed } from './cases/unpack-speed.ts';
import { measureWorkerOrChild, showWorkerOrChild } from './cases/worker-or-child.ts';
import { type Options, type Part, parseOptions, USAGE } from './options.ts';
import { makePackages } from './packages/bench-packages.ts';
import { describeMachine, type Machine, missingPrograms } from './place/machine.ts';
import { againWithPrivateMounts, canHavePrivateMounts, hasPrivateMounts } from './place/private-mounts.ts';
import { openVolume } from './place/volume.ts';
import { startOrigin } from './processes/start-origin.ts';
import { untilInterrupted } from './processes/until-interrupted.ts';

const VOLUME_BYTES = 6 * 1024 ** 3;
const QUICK_VOLUME_BYTES = 512 * 1024 ** 2;

/** What a part measured: as data, and as a table. */
interface Measured {
  data: unknown;
  text: string;
}

const measures: Record<Part, (bench: Bench) => Promise<Measured>> = {
  unpack: measured(measureUnpackSpeed, showUnpackSpeed),
  'small-release': measured(measureSmallRelease, showSmallRelease),
  memory: measured(measureMemory, showMemory),
  'worker-or-child': measured(measureWorkerOrChild, showWorkerOrChild),
  'log-tail': measured(measureLogTail, showLogTail),
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
  const missing = missingPrograms();
  if (missing.length > 0) {
    console.error(`The benchmark compares with programs that are not here: ${missing.join(', ')}.`);
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
  await using volume = await openVolume(options.dir, options.quick ? QUICK_VOLUME_BYTES : VOLUME_BYTES);
  const machine = describeMachine(volume.description);
  console.log(heading(machine, volume.dir, options));
  const originDir = join(volume.dir, 'origin');
  await mkdir(originDir);
  const packages = await makePackages(originDir, options.quick, signal);
  await using origin = await startOrigin(originDir);
  const bundle = await bundleAgent(join(volume.dir, 'bundle'));
  const common = { quick: options.quick, originDir, origin, packages, bundle, signal };
  const results: Record<string, unknown> = {};
  for (const part of options.parts) {
    const dir = join(volume.dir, part);
    await mkdir(dir);
    const { data, text } = await measures[part]({ ...common, dir });
    await rm(dir, { recursive: true });
    results[part] = data;
    console.log(`\n${text}`);
  }
  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify({ quick: options.quick, machine, results }, null, 2)}\n`);
  }
}

function measured<T>(measure: (bench: Bench) => Promise<T>, show: (result: T) => string) {
  return async (bench: Bench): Promise<Measured> => {
    const data = await measure(bench);
    return { data, text: show(data) };
  };
}

function heading(machine: Machine, dir: string, { quick }: Options): string {
  const { cores, cpu, memoryGib, kernel, node, curl, tar, filesystem } = machine;
  return [
    `Sampan benchmark${quick ? ', a smoke run: its figures say nothing' : ''}`,
    `  machine     ${cores} cores (${cpu}), ${memoryGib} GiB, Linux ${kernel}`,
    `  directory   ${dir}`,
    `  filesystem  ${filesystem}`,
    `  programs    Node ${node}, ${curl}, ${tar}`,
  ].join('\n');
}
