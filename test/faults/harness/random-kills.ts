import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { attempt, outcomeOf, violations } from './attempt.ts';
import { startAndKill } from './fault-agent.ts';
import { type Package, packageOf } from './package.ts';
import { seededRandom } from './seeded-random.ts';
import { until } from './until.ts';
import { World } from './world.ts';

/** One kill: when it came, as a share of how long a deploy takes, and what the caller was told. */
export interface RandomKill {
  at: number;
  /** How often the agent was killed again while it was coming back. */
  again: number;
  outcome: string;
  faults: string[];
}

/** One deploy in so many meets an agent that is killed once more while it starts. */
const AGAIN_IN = 5;
/** Two worlds side by side: each waits for processes to start most of the time. */
const LANES = 2;

/** Kills the agent at moments spread evenly over a deploy and a little beyond, and lets it come back. */
export async function killAtRandomTimes({ seed, times }: { seed: number; times: number }): Promise<RandomKill[]> {
  const random = seededRandom(seed);
  const moments = Array.from({ length: times }, (_, n) => ((n + random()) / times) * 1.1);
  const plans = moments.map((at) => ({ at, again: random() * AGAIN_IN < 1, restartShare: random() }));
  const lanes = Array.from({ length: LANES }, (_, lane) => runLane(plans.filter((_, n) => n % LANES === lane)));
  return (await Promise.all(lanes)).flat();
}

interface Plan {
  at: number;
  again: boolean;
  restartShare: number;
}

async function runLane(plans: readonly Plan[]): Promise<RandomKill[]> {
  const world = await World.open();
  try {
    const deployMs = await measure(world);
    const kills: RandomKill[] = [];
    for (const plan of plans) kills.push(await killOnce(world, plan, deployMs));
    return kills;
  } finally {
    await world.close();
  }
}

async function killOnce(world: World, { at, again, restartShare }: Plan, deployMs: number): Promise<RandomKill> {
  const made = slowPackage(world);
  const known = new Set(operationsOf(world));
  const tried = await attempt(world, made, {
    during: async (answered) => {
      const heard = until('the agent hears of the deploy', () => operationsOf(world).some((name) => !known.has(name)));
      // Before it has heard of the deploy, an agent that dies is one that is not there: another case, and another answer.
      await Promise.all([delay(at * deployMs), Promise.race([heard, answered])]);
      await world.agent.stop('SIGKILL');
      // An agent takes as long to start as a deploy takes, more or less.
      if (again) await startAndKill(world.home, restartShare * 2 * deployMs);
      await world.restartAgent();
    },
  });
  const faults = await violations(world, tried);
  return { at, again: again ? 1 : 0, outcome: outcomeOf(world, tried), faults };
}

/** The files of its journal, one an operation. */
function operationsOf({ home }: World): string[] {
  return readdirSync(join(home.root, 'state/operations'));
}

async function measure(world: World): Promise<number> {
  const durations: number[] = [];
  for (let n = 0; n < 5; n += 1) {
    const started = performance.now();
    await world.deploy(slowPackage(world));
    durations.push(performance.now() - started);
  }
  return durations.sort((a, b) => a - b)[2] ?? 0;
}

/** Comes in pieces, so that downloading and unpacking take a good part of the deploy. */
function slowPackage(world: World): Package {
  const made = world.next((version) => packageOf(version, { files: 60, bytesEach: 1000 }));
  const trickle = { bytes: Math.ceil(made.bytes.length / 10), everyMs: 10 };
  world.origin.serve(`/${made.filename}`, { body: made.bytes, trickle });
  return made;
}
