import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Answer as HttpAnswer, sendRequest } from '../../helpers/send-request.ts';
import { type Answer, DEPLOYED, toldOf } from '../harness/answer.ts';
import { standing } from '../harness/attempt.ts';
import { versionAt } from '../harness/invariants.ts';
import { type Package, packageOf } from '../harness/package.ts';
import type { Report } from '../harness/run-cases.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { World } from '../harness/world.ts';

const AT_ONCE = 8;
/** Every second round they come one shortly after the other, so that some find the link free again. */
const SPREAD = { firstMs: 150, growth: 1.1, mostMs: 2000 };
const LOOK_AT_ALL_EVERY = 20;
const HELD = /^软连接被占用: 项目 shop 正在操作 (\S+) \((\S+), 开始于 (\S+)\)$/;

/** What one of those that came at once was told. */
interface Told {
  made: Package;
  operationId: string;
  answer: Answer;
}

/**
 * Rounds of eight different deploys at once to one link: the link names the last success that was reported, and everybody else
 * was told who held it, which is one of the eight that succeeded.
 */
export async function eightAtOnce({ rounds, seed }: { rounds: number; seed: number }): Promise<Report> {
  const random = seededRandom(seed);
  const world = await World.open();
  try {
    let mostSuccesses = 0;
    let spreadMs = SPREAD.firstMs;
    for (let round = 1; round <= rounds; round += 1) {
      const successes = await oneRound(world, () => (round % 2 === 0 ? random() * spreadMs : 0));
      mostSuccesses = Math.max(mostSuccesses, successes.length);
      // On a slow machine a deploy takes longer than the first spread.
      if (mostSuccesses < 2) spreadMs = Math.min(SPREAD.mostMs, spreadMs * SPREAD.growth);
      if (round % LOOK_AT_ALL_EVERY === 0) expect(await standing(world)).toEqual([]);
    }
    // Or each round was one deploy, and seven that came too early to matter.
    expect(mostSuccesses).toBeGreaterThan(1);
    expect(await standing(world)).toEqual([]);
    return {
      outcome: `each round: ${DEPLOYED.data}, for some; for the others 软连接被占用: 项目 shop 正在操作 <winner> (<id>, 开始于 <time>)`,
    };
  } finally {
    await world.close();
  }
}

/** The versions whose success was reported, in that order. */
async function oneRound(world: World, delayMs: () => number): Promise<string[]> {
  const startedAtMs = Date.now();
  const successes: Told[] = [];
  const packages = Array.from({ length: AT_ONCE }, () => world.next((version) => packageOf(version, { files: 3 })));
  const told = await Promise.all(
    packages.map(async (made) => {
      await delay(delayMs());
      const one = toldTo(made, await send(world, made));
      if (one.answer.status_code === 200) successes.push(one);
      return one;
    }),
  );
  expect(successes.length).toBeGreaterThan(0);
  expect(versionAt(world.base, world.linkName)).toBe(successes.at(-1)?.made.version);
  for (const one of told) {
    if (successes.includes(one)) expect(one.answer).toEqual(DEPLOYED);
    else assertToldWho(one, { world, successes, startedAtMs });
  }
  // Who was refused has left nothing.
  const refused = told.filter((one) => !successes.includes(one)).map(({ made }) => made.version);
  expect((await world.listed()).filter((name) => refused.includes(name))).toEqual([]);
  return successes.map(({ made }) => made.version);
}

async function send(world: World, made: Package): Promise<HttpAnswer> {
  return await sendRequest(`${world.controller.url}/deploy`, { method: 'POST', body: world.request(made) });
}

function toldTo(made: Package, { headers, body }: HttpAnswer): Told {
  return { made, operationId: String(headers['sampan-operation-id']), answer: body as Answer };
}

function assertToldWho(
  { operationId, answer }: Told,
  { world, successes, startedAtMs }: { world: World; successes: readonly Told[]; startedAtMs: number },
): void {
  const text = toldOf(answer, world.host);
  expect(answer).toEqual({ status_code: 501, data: { [world.host]: text } });
  expect(text).toMatch(HELD);
  const [, version, holderId, since = ''] = HELD.exec(text) ?? [];
  expect(holderId).not.toBe(operationId);
  expect(successes.map((holder) => [holder.made.version, holder.operationId])).toContainEqual([version, holderId]);
  expect(Date.parse(since)).toBeGreaterThanOrEqual(startedAtMs);
  expect(Date.parse(since)).toBeLessThanOrEqual(Date.now());
}
