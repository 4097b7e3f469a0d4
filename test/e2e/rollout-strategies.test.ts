import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AgentFleet, HEALTH_CHECK, startAgentFleet } from '../helpers/agent-fleet.ts';
import { tarball } from '../helpers/archives.ts';
import { type StartedController, startController } from '../helpers/start-controller.ts';
import { V1Client } from '../helpers/v1-client.ts';

const SHOP = { operation: 'deploy', project_name: 'shop', link_name: 'web', language: 'php' };
const ACTIVATED = 'staging, staged, activating, active, succeeded';

/** Each test begins with the same release on all of twenty hosts. */
describe('a rollout over twenty agents', { timeout: 60_000 }, () => {
  let fleet: AgentFleet;
  let controller: StartedController;
  let api: V1Client;
  let old: string;
  let count = 0;

  beforeAll(async () => {
    fleet = await startAgentFleet(20);
    controller = await startController();
    api = new V1Client(controller.url);
  }, 60_000);
  afterAll(async () => {
    await controller?.stop();
    await fleet?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    for (const host of fleet.hosts) fleet.makeIll(host, false);
    count += 1;
    old = `old-${count}`;
    const id = await api.begin({ ...SHOP, hosts: fleet.names, ...fleet.pack(old) });
    expect(await api.watch(id).closed).toBe(1000);
    expect(links()).toEqual(fleet.hosts.map(() => old));
  });

  it('is all or nothing where it is atomic: one ill host takes all back, and the origin is asked for nothing', async () => {
    const version = `new-${count}`;
    fleet.makeIll(fleet.hosts[7]!, true);
    const order = { ...SHOP, hosts: fleet.names, ...fleet.pack(version), atomic: true, health_check: HEALTH_CHECK };
    const id = await api.begin(order);
    const watch = api.watch(id);
    await watch.until(({ state }) => state === 'going_back');
    const asked = fleet.origin.received.length;
    expect(await watch.closed).toBe(1000);
    expect(fleet.origin.received.length).toBe(asked);
    expect(links()).toEqual(fleet.hosts.map(() => old));
    expect(watch.course()).toBe('staging, activating 0, going_back, failed');
    const ill = fleet.names[7]!;
    for (const name of fleet.names) {
      const way =
        name === ill
          ? 'staging, staged, activating, failed'
          : 'staging, staged, activating, active, going_back, went_back';
      expect([name, watch.hostCourse(name)]).toEqual([name, way]);
    }
    const { state, hosts, counts } = await api.rollout(id);
    expect({ state, counts }).toEqual({ state: 'failed', counts: { failed: 1, went_back: 19 } });
    expect(hosts[ill]?.error).toMatchObject({
      code: 'HEALTH_CHECK_FAILED',
      aftermath: { current: old, reverted: true },
    });
    expect(hosts[fleet.names[0]!]?.error?.detail).toMatch(
      /^taken back with the others: 1 hosts failed, and at most 0 may.*old-/,
    );
    expect(await api.storedEvents(id)).toEqual(watch.events);
  });

  it('flips nothing where it is atomic and one host cannot stage', async () => {
    const { file_url, filename } = fleet.pack(`new-${count}`);
    const hosts = [...fleet.names, '127.0.0.1:1'];
    const id = await api.begin({ ...SHOP, hosts, file_url, filename, atomic: true });
    const watch = api.watch(id);
    await watch.closed;
    expect(watch.course()).toBe('staging, failed');
    expect(links()).toEqual(fleet.hosts.map(() => old));
    expect((await api.rollout(id)).counts).toEqual({ skipped: 20, failed: 1 });
    expect(fleet.hosts.map((host) => host.flips(id))).toEqual(fleet.hosts.map(() => 0));
  });

  it('pauses after a canary until it is resumed', async () => {
    const version = `new-${count}`;
    const id = await api.begin({ ...SHOP, hosts: fleet.names, ...fleet.pack(version), canary: 1, batch: '50%' });
    const watch = api.watch(id);
    await watch.until(({ state }) => state === 'paused');
    expect(links()).toEqual([version, ...fleet.hosts.slice(1).map(() => old)]);
    expect((await api.rollout(id)).state).toBe('paused');
    expect((await api.post(`/rollouts/${id}/resume`)).status).toBe(202);
    await watch.closed;
    expect(watch.course()).toBe('staging, activating 0, paused 0, activating 1, activating 2, succeeded');
    expect(links()).toEqual(fleet.hosts.map(() => version));
    for (const name of fleet.names) expect(watch.hostCourse(name)).toBe(ACTIVATED);
    expect(watch.events.map(({ seq }) => seq)).toEqual(watch.events.map((_, index) => index + 1));
  });

  it('pauses before the next wave where somebody asks for that, and goes on when it is resumed', async () => {
    const version = `new-${count}`;
    const id = await api.begin({ ...SHOP, hosts: fleet.names, ...fleet.pack(version), batch: 10 });
    expect((await api.post(`/rollouts/${id}/pause`)).body).toMatchObject({ pause_requested: true });
    const watch = api.watch(id);
    expect(await watch.until(({ state }) => state === 'paused')).toMatchObject({ wave: 0, reason: 'requested' });
    expect(links()).toEqual(fleet.hosts.map((_, n) => (n < 10 ? version : old)));
    await api.post(`/rollouts/${id}/resume`);
    await watch.closed;
    expect(watch.course()).toBe('staging, activating 0, paused 0, activating 1, succeeded');
    expect(links()).toEqual(fleet.hosts.map(() => version));
  });

  it('stops between batches where it is cancelled there, and what has flipped stays', async () => {
    const version = `new-${count}`;
    const id = await api.begin({ ...SHOP, hosts: fleet.names, ...fleet.pack(version), canary: 5 });
    const watch = api.watch(id);
    await watch.until(({ state }) => state === 'paused');
    expect((await api.post(`/rollouts/${id}/cancel`)).status).toBe(202);
    await watch.closed;
    expect(watch.course()).toBe('staging, activating 0, paused 0, cancelled');
    expect(links()).toEqual(fleet.hosts.map((_, n) => (n < 5 ? version : old)));
    expect((await api.rollout(id)).counts).toEqual({ succeeded: 5, skipped: 15 });
    expect((await api.post(`/rollouts/${id}/cancel`)).body).toMatchObject({ status: 409, code: 'ROLLOUT_STATE' });
    // What was staged and cancelled holds no link: the next one is not in its way.
    await api.watch(await api.begin({ ...SHOP, hosts: fleet.names, ...fleet.pack(`next-${count}`) })).closed;
    expect(links()).toEqual(fleet.hosts.map(() => `next-${count}`));
  });

  it('stops when more hosts have failed than may, and retries the others', async () => {
    const version = `new-${count}`;
    for (const n of [5, 6]) fleet.makeIll(fleet.hosts[n]!, true);
    const order = { hosts: fleet.names, ...fleet.pack(version), batch: 5, max_failures: 1, health_check: HEALTH_CHECK };
    const id = await api.begin({ ...SHOP, ...order });
    const watch = api.watch(id);
    await watch.closed;
    expect(watch.course()).toBe('staging, activating 0, activating 1, failed');
    const flipped = (n: number) => n < 10 && n !== 5 && n !== 6;
    expect(links()).toEqual(fleet.hosts.map((_, n) => (flipped(n) ? version : old)));
    expect((await api.rollout(id)).counts).toEqual({ succeeded: 8, failed: 2, skipped: 10 });
    for (const host of fleet.hosts) fleet.makeIll(host, false);
    const again = (await api.post(`/rollouts/${id}/retry`)).body as { id: string; hosts: number; retry_of: string };
    expect(again).toMatchObject({ hosts: 12, retry_of: id });
    await api.watch(again.id).closed;
    expect(links()).toEqual(fleet.hosts.map(() => version));
  });

  it('goes back where the health does not hold through the baking', async () => {
    const order = { hosts: fleet.names, ...fleet.pack(`new-${count}`), atomic: true, health_check: HEALTH_CHECK };
    const id = await api.begin({ ...SHOP, ...order, bake_seconds: 30 });
    const watch = api.watch(id);
    await watch.until(({ state }) => state === 'baking');
    expect(links()).toEqual(fleet.hosts.map(() => `new-${count}`));
    fleet.makeIll(fleet.hosts[3]!, true);
    await watch.closed;
    expect(watch.course()).toBe('staging, activating 0, baking 0, going_back, failed');
    expect(links()).toEqual(fleet.hosts.map(() => old));
    const { hosts, counts } = await api.rollout(id);
    expect(counts).toEqual({ failed: 1, went_back: 19 });
    expect(hosts[fleet.names[3]!]?.error).toMatchObject({ code: 'HEALTH_CHECK_FAILED', aftermath: { reverted: true } });
    expect(await api.storedEvents(id)).toEqual(watch.events);
  });

  it('is refused while another has a link, names it, and waits for its turn where that is asked for', async () => {
    const first = await api.begin({ ...SHOP, hosts: fleet.names, ...fleet.pack(`new-${count}`), canary: 1 });
    await api.watch(first).until(({ state }) => state === 'paused');
    const last = { ...SHOP, hosts: fleet.names.slice(15), ...fleet.pack(`last-${count}`) };
    const refused = await api.post('/rollouts', last);
    expect(refused.body).toMatchObject({
      status: 409,
      code: 'LINK_HELD',
      params: { project: 'shop', operationId: first },
    });
    const waiting = await api.begin({ ...last, queue: true });
    expect((await api.rollout(waiting)).state).toBe('queued');
    await api.post(`/rollouts/${first}/resume`);
    await api.watch(waiting).closed;
    expect((await api.rollout(first)).state).toBe('succeeded');
    expect(links()).toEqual(fleet.hosts.map((_, n) => (n < 15 ? `new-${count}` : `last-${count}`)));
  });

  it('tells of each host again and again while 10 MB are on their way, the same as is stored', async () => {
    const body = tarball({ blob: randomBytes(10 * 1024 * 1024).toString('latin1') });
    const file_url = fleet.origin.serve(`/big-${count}.tar.gz`, { body, trickle: { bytes: 256 * 1024, everyMs: 100 } });
    const id = await api.begin({ ...SHOP, hosts: fleet.names, file_url, filename: `big-${count}.tar.gz` });
    const watch = api.watch(id);
    await watch.closed;
    expect((await api.rollout(id)).state).toBe('succeeded');
    for (const name of fleet.names) {
      const told = watch.events.filter(
        ({ kind, host, step }) => kind === 'progress' && host === name && step === 'download',
      );
      // Four seconds of download: its begin, its end, and each second between.
      expect(told.length).toBeGreaterThanOrEqual(5);
      expect(told.at(-1)).toMatchObject({
        step_state: 'finished',
        bytes: body.length,
        total_bytes: body.length,
        entries: 1,
      });
    }
    expect(await api.storedEvents(id)).toEqual(watch.events);
  });

  function links(): (string | null)[] {
    return fleet.hosts.map((host) => host.linked('web'));
  }
});
