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
import { inDistantWorld } from './distant-world.ts';

/** What befalls the wire while the artifact comes over it and the progress goes back. */
const troubles: Record<string, (wire: Wire) => void> = {
  'pulled out': (wire) => wire.plug(false),
  'swallows all': (wire) => {
    wire.toFar('nothing');
    wire.fromFar('nothing');
  },
  'swallows what the agent says': (wire) => wire.fromFar('nothing'),
  'breaks connections': (wire) => {
    wire.toFar('refused');
    wire.fromFar('refused');
  },
};

export function midStream(wire: Wire): Promise<Report> {
  return inDistantWorld(wire, async ({ world }) => {
    for (const strike of Object.values(troubles)) await troubled(world, { wire, strike });
    await lossy(world, wire);
    return { outcome: DEPLOYED.data as string };
  });
}

/** Until the controller has lost its agent, and the agent its origin. */
async function troubled(world: World, { wire, strike }: { wire: Wire; strike: (wire: Wire) => void }): Promise<void> {
  const made = world.next((version) => packageOf(version, BIG));
  const path = `/${made.filename}`;
  const whole = { body: made.bytes, etag: `"${made.sha256}"`, ranges: true };
  world.origin.serve(path, { ...whole, stallAfter: made.bytes.length >> 1 }, whole);
  const before = flips(world);
  const tried = await attempt(world, made, {
    during: async () => {
      await until('something is unpacked', () => unpackedFiles(world.base.dir) > 0);
      const lost = logsAgain(world.controller, 'lost the agent, asking again');
      strike(wire);
      await lost;
      await wire.mend();
    },
  });
  expect(tried.answer).toEqual(DEPLOYED);
  expect(flips(world) - before).toBe(1);
  expect(await violations(world, tried)).toEqual([]);
}

/** One packet in five is lost in either direction, from beginning to end. */
async function lossy(world: World, wire: Wire): Promise<void> {
  wire.toFar('lossy');
  wire.fromFar('lossy');
  const before = flips(world);
  const tried = await attempt(world, world.next());
  await wire.mend();
  expect(tried.answer).toEqual(DEPLOYED);
  expect(flips(world) - before).toBe(1);
  expect(await violations(world, tried)).toEqual([]);
}
