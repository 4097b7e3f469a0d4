import { rmSync } from 'node:fs';
import { expect } from 'vitest';
import type { StartedProcess } from '../../helpers/start-process.ts';
import { keptTempDir } from '../../helpers/temp-dir.ts';
import { type Answer, DEPLOYED, ROLLED_BACK } from '../harness/answer.ts';
import { attempt, violations } from '../harness/attempt.ts';
import { type Snag, snagIn } from '../harness/hanging-once.ts';
import { type OwnClock, ownClock } from '../harness/own-clock.ts';
import type { CaseTable, Report } from '../harness/run-cases.ts';
import { World } from '../harness/world.ts';

const DAY_MS = 24 * 60 * 60_000;

/** The clock of one side is wrong, from its start or all of a sudden: nothing that it does depends on it. */
export const clock: CaseTable<'clock', void> = {
  'a day ahead': { speed: 'slow', run: () => daysAhead(1) },
  'a day behind': { speed: 'slow', run: () => daysAhead(-1) },
};

interface Clocks {
  world: World;
  snag: Snag;
  agent: OwnClock;
  controller: OwnClock;
  days: number;
}

async function daysAhead(days: number): Promise<Report> {
  const dirs = [keptTempDir(), keptTempDir()] as const;
  const [agent, controller] = [ownClock(dirs[0]), ownClock(dirs[1])];
  const snag = snagIn(dirs[0]);
  const hook = { run: ['sh', '-c', snag.script] };
  const world = await World.open({
    agentEnv: agent.env,
    controllerEnv: controller.env,
    languages: () => ({ php: { hooks: { pre_activate: hook, post_activate: hook } } }),
  });
  try {
    const clocks = { world, snag, agent, controller, days };
    for (const scene of [
      agentIsWrong,
      agentGoesWrong,
      agentComesBackWrong,
      controllerGoesWrong,
      controllerComesBackWrong,
    ])
      await scene(clocks);
    return { outcome: `${DEPLOYED.data} ${ROLLED_BACK.data}` };
  } finally {
    await world.close();
    for (const dir of dirs) rmSync(dir, { recursive: true });
  }
}

/** Deploys with the right clock, the wrong one and the right one again: the newest is the one that came last. */
async function agentIsWrong({ world, agent, days }: Clocks): Promise<void> {
  const made = [];
  for (const ahead of [0, days, 0]) {
    agent.setDaysAhead(ahead);
    made.unshift(world.next());
    expect(await world.deploy(made[0]!)).toEqual(DEPLOYED);
    expectAhead(world.agent, ahead);
  }
  expect((await world.listed()).slice(0, 3)).toEqual(made.map(({ version }) => version));
  const tried = await attempt(world, made[1]!, { path: '/rollback' });
  expect(tried.answer).toEqual(ROLLED_BACK);
  expect(await violations(world, tried)).toEqual([]);
}

/** Before the flip there, after it back. */
async function agentGoesWrong({ world, snag, agent, days }: Clocks): Promise<void> {
  snag.arm();
  await deployedWhile(world, async () => {
    await snag.untilHanging();
    agent.setDaysAhead(days);
    snag.arm();
    await snag.untilHanging();
    expectAhead(world.agent, days);
    agent.setDaysAhead(0);
    snag.release();
  });
}

async function agentComesBackWrong({ world, snag, agent, days }: Clocks): Promise<void> {
  snag.arm();
  await deployedWhile(world, async () => {
    await snag.untilHanging();
    agent.setDaysAhead(days);
    await world.restartAgent();
  });
  expectAhead(world.agent, days);
  agent.setDaysAhead(0);
}

async function controllerGoesWrong({ world, snag, controller, days }: Clocks): Promise<void> {
  snag.arm();
  await deployedWhile(world, async () => {
    await snag.untilHanging();
    controller.setDaysAhead(days);
    snag.release();
  });
  expectAhead(world.controller, days);
  controller.setDaysAhead(0);
}

/** Its caller was cut off and asks again. One that thinks that a day has passed closes what it finds, and then starts anew. */
async function controllerComesBackWrong({ world, snag, controller, days }: Clocks): Promise<void> {
  const made = world.next();
  snag.arm();
  const cutOff = world.deploy(made).catch((error: NodeJS.ErrnoException) => error.code);
  await snag.untilHanging();
  controller.setDaysAhead(days);
  await world.restartController();
  expect(await cutOff).toBe('ECONNRESET');
  if (days > 0) await world.controller.logged(({ msg }) => msg === 'rollout finished');
  const tried = await attempt(world, made, { during: async () => snag.release() });
  expect(tried.answer).toEqual(DEPLOYED);
  expectAhead(world.controller, days);
  expect(await violations(world, tried)).toEqual([]);
  controller.setDaysAhead(0);
  await world.restartController();
}

async function deployedWhile(world: World, during: (answered: Promise<Answer>) => Promise<void>): Promise<void> {
  const tried = await attempt(world, world.next(), { during });
  expect(tried.answer).toEqual(DEPLOYED);
  expect(await violations(world, tried)).toEqual([]);
}

/** That it really is so, by what it last wrote to its log. */
function expectAhead({ log }: StartedProcess, days: number): void {
  const said = Number(log.at(-1)?.time);
  expect(Math.abs(said - Date.now() - days * DAY_MS)).toBeLessThan(60_000);
}
