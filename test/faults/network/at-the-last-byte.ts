import { expect } from 'vitest';
import { DEPLOYED } from '../harness/answer.ts';
import { attempt, violations } from '../harness/attempt.ts';
import { flips } from '../harness/flips.ts';
import { logsAgain } from '../harness/logs-again.ts';
import { BIG, packageOf } from '../harness/package.ts';
import type { Report } from '../harness/run-cases.ts';
import { unpackedFiles } from '../harness/unpacked-files.ts';
import { until } from '../harness/until.ts';
import type { Wire } from '../harness/wire.ts';
import type { World } from '../harness/world.ts';
import { type DistantWorld, inDistantWorld } from './distant-world.ts';

const UNKNOWN = '状态未知: ETIMEDOUT, 最后收到的步骤 post_activate';

/** All went well but for the last that was to be heard of it. */
export function atTheLastByte(wire: Wire): Promise<Report> {
  return inDistantWorld(wire, async (distant) => {
    await outcomeIsLost(distant, { wire, comesBack: true });
    await outcomeIsLost(distant, { wire, comesBack: false });
    await lastByteOfArtifactIsLost(distant.world, wire);
    return { outcome: `back in time: ${DEPLOYED.data}; for good: ${UNKNOWN}; of the artifact: ${DEPLOYED.data}` };
  });
}

/** The agent hears everything, finishes and says so, and not one word of it arrives. */
async function outcomeIsLost(
  { world, after }: DistantWorld,
  { wire, comesBack }: { wire: Wire; comesBack: boolean },
): Promise<void> {
  const before = flips(world);
  after.arm();
  const tried = await attempt(world, world.next(), {
    during: async () => {
      await after.untilHanging();
      await world.heardOf('post_activate');
      const [finished, lost] = [
        logsAgain(world.agent, 'operation finished'),
        logsAgain(world.controller, 'lost the agent, asking again'),
      ];
      wire.fromFar('nothing');
      after.release();
      await Promise.all([finished, lost]);
      if (comesBack) await wire.mend();
    },
  });
  await wire.mend();
  expect(tried.answer).toEqual(comesBack ? DEPLOYED : { status_code: 501, data: { [world.host]: UNKNOWN } });
  expect(flips(world) - before).toBe(1);
  expect(await violations(world, tried)).toEqual([]);
}

async function lastByteOfArtifactIsLost(world: World, wire: Wire): Promise<void> {
  const made = world.next((version) => packageOf(version, BIG));
  const path = `/${made.filename}`;
  const whole = { body: made.bytes, etag: `"${made.sha256}"`, ranges: true };
  const last = made.bytes.length - 1;
  world.origin.serve(path, { ...whole, stallAfter: last }, whole);
  const tried = await attempt(world, made, {
    during: async () => {
      await until('all is unpacked', () => unpackedFiles(world.base.dir) >= made.tree.size - 1);
      const lost = logsAgain(world.controller, 'lost the agent, asking again');
      wire.toFar('nothing');
      await lost;
      await wire.mend();
    },
  });
  expect(tried.answer).toEqual(DEPLOYED);
  const ranges = world.origin.received.filter(({ url }) => url === path).map(({ headers }) => headers.range);
  expect(ranges).toEqual([undefined, `bytes=${last}-`]);
  expect(await violations(world, tried)).toEqual([]);
}
