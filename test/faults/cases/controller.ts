import { expect } from 'vitest';
import { DEPLOYED } from '../harness/answer.ts';
import { attempt, violations } from '../harness/attempt.ts';
import { flips } from '../harness/flips.ts';
import { type Snag, snagIn } from '../harness/hanging-once.ts';
import { type Package, packageOf } from '../harness/package.ts';
import type { CaseTable } from '../harness/run-cases.ts';
import { type Call, callsIn, killAt, type Tracing, trace } from '../harness/strace.ts';
import { World } from '../harness/world.ts';

/** What its caller's socket fails with when a controller dies. */
const CUT_OFF = 'ECONNRESET';
/** How its database gets to the disk. */
const WRITES = ['pwrite64', 'fsync', 'fdatasync', 'ftruncate', 'unlink'];

/**
 * kill -9 of the controller, and a new one on the same database. Who had asked it asks again, gets the truth, and nothing is
 * done twice.
 */
export const controller: CaseTable<'controller', void> = {
  'killed mid-rollout': {
    speed: 'slow',
    async run() {
      let snag: Snag | undefined;
      const world = await World.open({
        languages: (root) => {
          snag = snagIn(root);
          const hook = { run: ['sh', '-c', snag.script] };
          return { php: { hooks: { pre_activate: hook, post_activate: hook } } };
        },
      });
      try {
        const outcomes = [
          await killedWhileDownloading(world),
          ...(await killedInHooks(world, snag!)),
          ...(await killedAtEachWrite(world)),
        ];
        expect(outcomes.length).toBeGreaterThan(15);
        return { outcome: [...new Set(outcomes)].join(', ') };
      } finally {
        await world.close();
      }
    },
  },
};

async function killedWhileDownloading(world: World): Promise<string> {
  const made = world.next((version) => packageOf(version, { files: 100 }));
  const body = Promise.withResolvers<void>();
  world.origin.serve(`/${made.filename}`, { body: made.bytes, after: body.promise });
  const asked = ask(world, made);
  await world.origin.requested(`/${made.filename}`, 1);
  return await askedAgain(world, asked, () => body.resolve());
}

/** Before the flip, and after it. */
async function killedInHooks(world: World, snag: Snag): Promise<string[]> {
  snag.arm();
  const first = ask(world, world.next());
  await snag.untilHanging();
  const before = await askedAgain(world, first, snag.release);
  snag.arm();
  const second = ask(world, world.next());
  await snag.untilHanging();
  snag.arm();
  await snag.untilHanging();
  return [before, await askedAgain(world, second, snag.release)];
}

async function killedAtEachWrite(world: World): Promise<string[]> {
  const outcomes: string[] = [];
  const writes = await writesOfADeploy(world);
  for (const call of writes) {
    const tracing = await killAt(world.controller.pid, call);
    const asked = ask(world, world.next());
    await struckOrAtItsEnd(world, asked, tracing);
    const lines = await tracing.detach();
    // What is written together, and so how often, differs from deploy to deploy: the last calls of one may not be made in another.
    if (lines.some((line) => line.includes('killed by SIGKILL'))) {
      outcomes.push(await askedAgain(world, asked, () => undefined));
    } else {
      expect(await asked.told).toEqual(DEPLOYED);
      expect(lines.filter((line) => line.includes(`${call.name}(`)).length).toBeLessThan(call.when);
    }
  }
  expect(outcomes.length).toBeGreaterThan(0.75 * writes.length);
  return outcomes;
}

async function struckOrAtItsEnd(world: World, { made, told }: Asked, { ended }: Tracing): Promise<void> {
  await Promise.race([ended, told.then((answer) => (answer === CUT_OFF ? ended : world.writtenDown(made)))]);
}

/** What the controller writes from the request until its last word on it is written down. */
async function writesOfADeploy(world: World): Promise<Call[]> {
  const { pid } = world.controller;
  const tracing = await trace(pid, WRITES);
  const made = world.next();
  await world.deploy(made);
  await world.writtenDown(made);
  return callsIn(pid, await tracing.detach());
}

/** A deploy that somebody waits for. */
interface Asked {
  made: Package;
  flipsBefore: number;
  /** The answer, or how it was cut off. */
  told: Promise<unknown>;
}

function ask(world: World, made: Package): Asked {
  const flipsBefore = flips(world);
  return { made, flipsBefore, told: world.deploy(made).catch((error: NodeJS.ErrnoException) => error.code) };
}

/** Kills the controller, where it still lives. Who was cut off asks the next one the same, and is told how the deploy ended; `goOn` lets go what was held back. */
async function askedAgain(world: World, { made, flipsBefore, told }: Asked, goOn: () => void): Promise<string> {
  await world.restartController();
  const answer = await told;
  const tried = await attempt(world, made, { during: async () => goOn() });
  expect(tried.answer).toEqual(DEPLOYED);
  // Told before it died, its caller has no reason to ask; whoever does deploys anew.
  if (answer === CUT_OFF) expect(flips(world) - flipsBefore).toBe(1);
  else expect(answer).toEqual(DEPLOYED);
  expect(await violations(world, tried)).toEqual([]);
  return `${answer === CUT_OFF ? 'cut off; asked again: ' : ''}${DEPLOYED.data}`;
}
