import { expect } from 'vitest';
import { DEPLOYED } from '../harness/answer.ts';
import { attempt, violations } from '../harness/attempt.ts';
import { flips } from '../harness/flips.ts';
import { type Snag, snagIn } from '../harness/hanging-once.ts';
import { type Package, packageOf } from '../harness/package.ts';
import type { CaseTable } from '../harness/run-cases.ts';
import { type Call, callsIn, killAt, trace } from '../harness/strace.ts';
import { World } from '../harness/world.ts';

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
  return await askedAgain(world, made, {
    isTime: () => world.origin.requested(`/${made.filename}`, 1),
    goOn: () => body.resolve(),
  });
}

/** Before the flip, and after it. */
async function killedInHooks(world: World, snag: Snag): Promise<string[]> {
  snag.arm();
  const before = await askedAgain(world, world.next(), { isTime: snag.untilHanging, goOn: snag.release });
  const made = world.next();
  snag.arm();
  const after = await askedAgain(world, made, {
    async isTime() {
      await snag.untilHanging();
      snag.arm();
      await snag.untilHanging();
    },
    goOn: snag.release,
  });
  return [before, after];
}

async function killedAtEachWrite(world: World): Promise<string[]> {
  const outcomes: string[] = [];
  for (const call of await writesOfADeploy(world)) {
    const tracing = await killAt(world.controller.pid, call);
    outcomes.push(await askedAgain(world, world.next(), { isTime: () => tracing.ended, goOn: () => undefined }));
    expect((await tracing.detach()).filter((line) => line.includes('killed by SIGKILL'))).not.toEqual([]);
  }
  return outcomes;
}

/** What the controller writes from the request until its last word on it is written down. */
async function writesOfADeploy(world: World): Promise<Call[]> {
  const { pid } = world.controller;
  const tracing = await trace(pid, WRITES);
  await world.deploy(world.next());
  // An answer to somebody else comes behind it.
  await world.restartController();
  return callsIn(pid, await tracing.detach());
}

interface Moment {
  /** Resolves when the controller is to die, or has. */
  isTime: () => Promise<unknown>;
  /** Lets what was held back go on, once there is a controller again. */
  goOn: () => void;
}

/** Its caller is cut off, asks the next controller the same, and is told how the deploy ended. */
async function askedAgain(world: World, made: Package, { isTime, goOn }: Moment): Promise<string> {
  const flipsBefore = flips(world);
  const cutOff = world.deploy(made).catch((error: NodeJS.ErrnoException) => error.code);
  await isTime();
  await world.restartController();
  const told = await cutOff;
  const tried = await attempt(world, made, { during: async () => goOn() });
  expect(tried.answer).toEqual(DEPLOYED);
  // Told before it died, its caller has no reason to ask; whoever does deploys anew.
  if (told === 'ECONNRESET') expect(flips(world) - flipsBefore).toBe(1);
  else expect(told).toEqual(DEPLOYED);
  expect(await violations(world, tried)).toEqual([]);
  return `${told === 'ECONNRESET' ? 'cut off; asked again: ' : ''}${DEPLOYED.data}`;
}
