import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Caller } from './caller.ts';
import { startFleet } from './fleet.ts';
import { buildPackages } from './packages.ts';
import { paint, print } from './print.ts';
import { tellStory } from './story.ts';

const keep = process.argv.includes('--keep');
const interruption = new AbortController();
// Not once: npm passes Ctrl-C on to a process that the terminal has told already, and the second one would end it as it is.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interruption.abort());
if (process.platform === 'linux') process.exitCode = await demo(interruption.signal);
else {
  print(`The demo runs real agents, and those need Linux; this is ${process.platform}.`);
  process.exitCode = 1;
}

/** Tells the story; 0 only if every answer was as it should be. Interrupted, it stops and removes what it has made, too. */
async function demo(signal: AbortSignal): Promise<number> {
  const started = performance.now();
  const root = await mkdtemp(join(tmpdir(), 'sampan-demo-'));
  print(
    paint(
      'bold',
      'Sampan: an artifact origin, three agents and a controller, each a process of its own on this machine',
    ),
  );
  try {
    await buildPackages(join(root, 'packages'));
    const fleet = await startFleet(root, signal);
    try {
      print(`  controller ${fleet.controllerUrl} (docs: ${fleet.controllerUrl}/docs)`);
      print(`  agents     ${fleet.hosts.join(', ')}, port ${fleet.agentPort}`);
      print(`  origin     ${fleet.originUrl}`);
      print(`  disks      ${root}`);
      const caller = new Caller(fleet);
      await Promise.race([tellStory({ fleet, caller }), untilInterrupted(signal)]);
      signal.throwIfAborted();
      summary(caller, (performance.now() - started) / 1000);
      if (keep) await keepRunning(signal);
      return caller.wrong === 0 ? 0 : 1;
    } finally {
      await fleet.stop();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    return 130;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function summary({ answers, wrong }: Caller, seconds: number): void {
  const time = `${seconds.toFixed(1)} s`;
  if (wrong === 0) print(`\n${paint(['bold', 'green'], `All ${answers} answers are as they should be.`)} ${time}`);
  else print(`\n${paint(['bold', 'red'], `${wrong} of ${answers} answers are not as they should be.`)} ${time}`);
}

async function keepRunning(signal: AbortSignal): Promise<void> {
  print('Everything goes on running; the lines above can be pasted. Ctrl-C ends it and removes its files.');
  // Signal handlers alone do not keep a process alive.
  const alive = setInterval(() => undefined, 60_000);
  await untilInterrupted(signal);
  clearInterval(alive);
}

async function untilInterrupted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
