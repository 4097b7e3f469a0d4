import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Cluster, type Member, SHOP, testCluster } from '../../helpers/controller-cluster.ts';
import { requires } from '../../helpers/requires.ts';
import type { SeenRollout } from '../../helpers/v1-client.ts';
import { seededRandom } from '../harness/seeded-random.ts';

const HOSTS = 20;
const KILLS = 20;
/** Worlds side by side: each waits for leases to run out most of the time. */
const LANES = 4;
/** A rollout over twenty agents takes about so long here: kills are spread over a little more than that. */
const SPREAD_MS = 2_500;
/** What is promised, and no measure of speed: leases are longer than what anything takes here. */
const TAKEN_OVER_WITHIN_MS = 10_000;

/** One of two that answer, whichever lives. */
interface Pair {
  cluster: Cluster;
  members: [Member, Member];
}

describe.runIf(requires('postgresql'))('two controllers on one PostgreSQL', () => {
  it(`end each of ${KILLS} rollouts over ${HOSTS} hosts of which one controller is killed -9 at a random moment: one download, one flip a host`, {
    timeout: 600_000,
  }, async () => {
    const random = seededRandom(20_261_130);
    const moments = Array.from({ length: KILLS }, (_, n) => ({ n, atMs: random() * SPREAD_MS }));
    const states = await inLanes(moments, async (pair, { n, atMs }) => {
      const version = `shop-${n}`;
      const key = { 'idempotency-key': `deploy-${n}` };
      const order = { ...SHOP, hosts: pair.cluster.fleet.names, ...pair.cluster.fleet.pack(version), batch: 7 };
      const [dying, living] = pair.members;
      const asked = dying.api.post('/rollouts', order, key).catch(() => undefined);
      await delay(atMs);
      const state = await stateOf(dying, await Promise.race([asked, delay(0, undefined)]));
      await dying.stop('SIGKILL');
      const diedAtMs = Date.now();
      // Whoever was not told asks again with the same key, and gets the same rollout.
      const { id } = (await living.api.post('/rollouts', order, key)).body as { id: string };
      await living.api.watch(id).closed;
      await told(pair, { id, version });
      const taken = living.log.find(({ msg, operationId }) => msg === 'rollout taken up again' && operationId === id);
      if (taken) expect(Number(taken.time) - diedAtMs).toBeLessThan(TAKEN_OVER_WITHIN_MS);
      pair.members = [living, await pair.cluster.controller()];
      return state;
    });
    // The moments were of every kind, not all before the begin or after the end.
    expect(states).toHaveLength(KILLS);
    expect(states).toEqual(expect.arrayContaining([expect.stringMatching(/staging|activating/)]));
  });

  it('end a rollout in the middle of which PostgreSQL is restarted, again and again: one download, one flip a host', {
    timeout: 600_000,
  }, async () => {
    const random = seededRandom(20_261_131);
    const moments = Array.from({ length: 8 }, (_, n) => ({ n, atMs: random() * SPREAD_MS, awayMs: random() * 8_000 }));
    const states = await inLanes(moments, async (pair, { n, atMs, awayMs }) => {
      const version = `shop-${n}`;
      const order = { ...SHOP, hosts: pair.cluster.fleet.names, ...pair.cluster.fleet.pack(version), batch: 7 };
      const [owner, other] = pair.members;
      const id = await owner.api.begin(order);
      await delay(atMs);
      const state = await stateOf(owner, { body: { id } });
      const startAgain = await pair.cluster.postgres.crash();
      await delay(awayMs);
      await startAgain();
      await expect.poll(async () => (await other.api.rollout(id)).state, { timeout: 60_000 }).toBe('succeeded');
      await told(pair, { id, version });
      return state;
    });
    expect(states).toEqual(expect.arrayContaining([expect.stringMatching(/staging|activating/)]));
  });
});

/** Deals the work out to pairs of controllers, each with a database and hosts of its own. */
async function inLanes<T, R>(all: readonly T[], work: (pair: Pair, one: T) => Promise<R>): Promise<R[]> {
  const lanes = Array.from({ length: LANES }, async (_, lane) => {
    const cluster = await testCluster(HOSTS);
    const pair: Pair = { cluster, members: [await cluster.controller(), await cluster.controller()] };
    const results: R[] = [];
    for (const one of all.filter((_one, n) => n % LANES === lane)) results.push(await work(pair, one));
    return results;
  });
  return (await Promise.all(lanes)).flat();
}

/** Where the rollout is that was asked for, as far as anybody can say. */
async function stateOf(member: Member, begun: { body: unknown } | undefined): Promise<string> {
  const { id } = (begun?.body ?? {}) as { id?: string };
  if (id === undefined) return 'not begun';
  return await member.api.rollout(id).then(
    ({ state }) => state,
    () => 'nobody knows',
  );
}

/** What is to be so at the end: on the disks, at the origin, in the record, and all of them the same. */
async function told({ cluster, members }: Pair, { id, version }: { id: string; version: string }): Promise<void> {
  const { fleet } = cluster;
  const living = members[1];
  const { state, hosts }: SeenRollout = await living.api.rollout(id);
  expect({ state, hosts: Object.values(hosts).map((host) => host.state) }).toEqual({
    state: 'succeeded',
    hosts: fleet.names.map(() => 'succeeded'),
  });
  expect(fleet.hosts.map((host) => host.linked('web'))).toEqual(fleet.names.map(() => version));
  expect(fleet.hosts.map((host) => host.flips(id))).toEqual(fleet.names.map(() => 1));
  expect(fleet.origin.requests(`/${version}.tar.gz`)).toBe(fleet.names.length);
  const events = await living.api.storedEvents(id);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
}
