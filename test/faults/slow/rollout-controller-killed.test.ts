import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startAgentFleet } from '../../helpers/agent-fleet.ts';
import { startController } from '../../helpers/start-controller.ts';
import { V1Client } from '../../helpers/v1-client.ts';
import { seededRandom } from '../harness/seeded-random.ts';

const KILLS = 20;
/** A rollout over twenty agents takes about so long here: kills are spread over a little more than that. */
const SPREAD_MS = 1_800;
const SHOP = { operation: 'deploy', project_name: 'shop', link_name: 'web', language: 'php' };

it(`a controller that is killed -9 at ${KILLS} random moments of a rollout over twenty hosts ends each: one download, one flip a host`, {
  timeout: 300_000,
}, async () => {
  const random = seededRandom(20_261_129);
  const fleet = await startAgentFleet(20);
  onTestFinished(() => fleet[Symbol.asyncDispose]());
  const settings = { database: `sqlite:${join(fleet.root, 'sampan.db')}` };
  let controller = await startController(settings);
  onTestFinished(async () => void (await controller.stop()));
  const moments = new Set<string>();
  for (let n = 0; n < KILLS; n += 1) {
    const version = `shop-${n}`;
    const order = { ...SHOP, hosts: fleet.names, ...fleet.pack(version), batch: 7 };
    const key = { 'idempotency-key': `deploy-${n}` };
    const before = new V1Client(controller.url);
    const begun = before.post('/rollouts', order, key).catch(() => undefined);
    const dead = new Promise((resolve) => setTimeout(resolve, random() * SPREAD_MS));
    await dead;
    const states = begun.then(async (answer) => {
      const { id } = (answer?.body ?? {}) as { id?: string };
      return id === undefined ? 'not begun' : ((await before.rollout(id)).state ?? '?');
    });
    moments.add(await states.catch(() => '?'));
    await controller.stop('SIGKILL');
    controller = await startController(settings);
    const after = new V1Client(controller.url);
    // Whoever was not told asks again with the same key, and gets the same rollout.
    const { id } = (await after.post('/rollouts', order, key)).body as { id: string };
    const first = (await begun)?.body as { id?: string } | undefined;
    if (first?.id) expect(id).toBe(first.id);
    await after.watch(id).closed;
    const { state, hosts } = await after.rollout(id);
    expect({ n, state, hosts: Object.values(hosts).map((host) => host.state) }).toEqual({
      n,
      state: 'succeeded',
      hosts: fleet.names.map(() => 'succeeded'),
    });
    expect(fleet.hosts.map((host) => host.linked('web'))).toEqual(fleet.names.map(() => version));
    expect(fleet.hosts.map((host) => host.flips(id))).toEqual(fleet.names.map(() => 1));
    expect(fleet.origin.requests(`/${version}.tar.gz`)).toBe(fleet.names.length);
    const events = await after.storedEvents(id);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  }
  // The moments were of every kind, not all before the begin or after the end.
  expect(moments.has('staging') || moments.has('activating')).toBe(true);
});
