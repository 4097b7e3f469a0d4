import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { keptTempDir } from '../../helpers/temp-dir.ts';
import { DEPLOYED } from '../harness/answer.ts';
import { attempt, outcomeOf, violations } from '../harness/attempt.ts';
import { AGENT_PORT, startAgentAt } from '../harness/fault-agent.ts';
import { flips } from '../harness/flips.ts';
import { logsAgain } from '../harness/logs-again.ts';
import type { Report } from '../harness/run-cases.ts';
import type { Wire } from '../harness/wire.ts';
import { type DistantWorld, inDistantWorld } from './distant-world.ts';

const UNKNOWN = '状态未知: ETIMEDOUT, 最后收到的步骤 post_activate';
const NOT_FLIPPED = 'Agent连接中断: ETIMEDOUT, 软连接未切换';

/** How a wire goes dead. */
const deaths: readonly ((wire: Wire) => void)[] = [(wire) => wire.plug(false), swallowAll];

/** The agent works on, and nobody hears of it, for a while or until its time is up; another host is deployed meanwhile. */
export function afterTheCommand(wire: Wire): Promise<Report> {
  return inDistantWorld(wire, async (distant) => {
    const root = keptTempDir();
    const bystander = { root, address: '127.0.0.1' };
    const agent = await startAgentAt(bystander);
    try {
      for (const die of deaths) {
        await backInTime(distant, wire, die);
        await goneForGood(distant, { wire, die, bystander });
      }
      await goneBeforeTheFlip(distant, wire);
      return { outcome: `back in time: ${DEPLOYED.data}; for good: ${UNKNOWN}; before the flip: ${NOT_FLIPPED}` };
    } finally {
      await agent.stop('SIGKILL');
      rmSync(root, { recursive: true });
    }
  });
}

/** Its agent is found again before its time is up, and has the outcome. */
async function backInTime({ world, after }: DistantWorld, wire: Wire, die: (wire: Wire) => void): Promise<void> {
  const before = flips(world);
  after.arm();
  const tried = await attempt(world, world.next(), {
    during: async () => {
      await after.untilHanging();
      const lost = logsAgain(world.controller, 'lost the agent, asking again');
      die(wire);
      after.release();
      await lost;
      await wire.mend();
    },
  });
  expect(tried.answer).toEqual(DEPLOYED);
  expect(flips(world) - before).toBe(1);
  expect(await violations(world, tried)).toEqual([]);
}

/** Of two hosts the one that is cut off is not known of; the other is deployed. */
async function goneForGood(
  { world, after }: DistantWorld,
  { wire, die, bystander }: { wire: Wire; die: (wire: Wire) => void; bystander: { root: string; address: string } },
): Promise<void> {
  const hosts = [world.host, `${bystander.address}:${AGENT_PORT}`];
  after.arm();
  const tried = await attempt(world, world.next(), {
    more: { server_list: hosts },
    during: async () => {
      await after.untilHanging();
      // The agent is ahead of what it has told: steps go over the wire together, a moment later.
      await world.heardOf('post_activate');
      die(wire);
      after.release();
    },
  });
  await wire.mend();
  expect(tried.answer).toEqual({ status_code: 501, data: { [world.host]: expect.any(String) } });
  // Behind a wire that is pulled out the kernel may say so before our own time is up.
  expect(outcomeOf(world, tried).replace('EHOSTUNREACH <host>', 'ETIMEDOUT')).toBe(UNKNOWN);
  expect(readFileSync(join(bystander.root, 'service/web/version.txt'), 'utf8')).toBe(tried.made.version);
  expect(await violations(world, tried)).toEqual([]);
}

/** What is staged behind the cut holds the link: it is cancelled as soon as its agent is back, and the retry finds it free. */
async function goneBeforeTheFlip({ world, before }: DistantWorld, wire: Wire): Promise<void> {
  before.arm();
  const tried = await attempt(world, world.next(), {
    during: async (answered) => {
      await before.untilHanging();
      swallowAll(wire);
      await answered;
      before.release();
    },
  });
  expect(tried.answer).toEqual({ status_code: 501, data: { [world.host]: NOT_FLIPPED } });
  const cancelled = logsAgain(world.controller, 'operation cancelled at the agent');
  await wire.mend();
  await cancelled;
  expect(await violations(world, tried)).toEqual([]);
}

function swallowAll(wire: Wire): void {
  wire.toFar('nothing');
  wire.fromFar('nothing');
}
