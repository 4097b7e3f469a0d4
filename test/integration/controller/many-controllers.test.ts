import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tarball } from '../../helpers/archives.ts';
import { SHOP, testCluster } from '../../helpers/controller-cluster.ts';
import { requires } from '../../helpers/requires.ts';
import { sendRequest } from '../../helpers/send-request.ts';
import type { StartedProcess } from '../../helpers/start-process.ts';

const done = { status_code: 200, data: '部署成功!' };

describe.runIf(requires('postgresql'))('two controllers on one database', () => {
  it("show, stop and resume each other's rollouts, and send their events", async () => {
    const { fleet, controller } = await testCluster(3);
    const [one, other] = [await controller(), await controller()];
    const key = { 'idempotency-key': 'release-1' };
    const order = { ...SHOP, hosts: fleet.names, ...fleet.pack('web-1'), canary: 1 };
    const { id } = (await one.api.post('/rollouts', order, key)).body as { id: string };
    const live = other.api.watch(id);
    await live.until(({ state }) => state === 'paused');
    expect(await other.api.post('/rollouts', order, key)).toMatchObject({ status: 200, body: { id } });
    expect(await other.api.rollout(id)).toMatchObject({ state: 'paused' });
    const refused = await other.api.post('/rollouts', { ...SHOP, hosts: fleet.names, ...fleet.pack('web-2') });
    expect(refused).toMatchObject({ status: 409, body: { code: 'LINK_HELD' } });
    expect((await other.api.post(`/rollouts/${id}/resume`)).status).toBe(202);
    await live.closed;
    expect(await other.api.post(`/rollouts/${id}/pause`)).toMatchObject({
      status: 409,
      body: { code: 'ROLLOUT_STATE' },
    });
    expect(fleet.hosts.map((host) => [host.linked('web'), host.flips(id)])).toEqual(
      fleet.names.map(() => ['web-1', 1]),
    );
    expect(live.events).toEqual(await one.api.storedEvents(id));
    expect(live.events.map(({ seq }) => seq)).toEqual(live.events.map((_, index) => index + 1));
    expect(live.events).toContainEqual(expect.objectContaining({ kind: 'request', request: 'resume' }));
  });

  it('tell what came of a request, though that could not be written down at once', async () => {
    const { postgres, database, fleet, controller } = await testCluster(2);
    const [one, other] = [await controller(), await controller()];
    const id = await one.api.begin({ ...SHOP, hosts: fleet.names, ...fleet.pack('web-1'), canary: 1 });
    await one.api.watch(id).until(({ state }) => state === 'paused');
    // A sequence counts on where a transaction is taken back.
    await postgres.query(
      new URL(database).pathname.slice(1),
      'create sequence tries',
      `create function refuse() returns trigger language plpgsql as
        $$ begin if nextval('tries') < 3 then raise 'not now'; end if; return new; end $$`,
      'create trigger refuses before update on rollout_requests for each row execute function refuse()',
    );
    expect(await other.api.post(`/rollouts/${id}/resume`)).toMatchObject({ status: 202 });
    await other.api.watch(id).closed;
    expect(await other.api.rollout(id)).toMatchObject({ state: 'succeeded' });
  });

  it('are one to a caller who asks the other for the same', async () => {
    const { fleet, controller } = await testCluster(2);
    const [one, other] = [await controller(), await controller()];
    const { file_url, filename } = fleet.pack('web-1');
    const body = Promise.withResolvers<void>();
    fleet.origin.serve(`/${filename}`, { body: tarball({ version: 'web-1' }), after: body.promise });
    const order = { ...SHOP, server_list: fleet.names, file_url, filename };
    const ask = async (url: string) => await sendRequest(`${url}/deploy`, { method: 'POST', body: order });
    const first = ask(one.url);
    await fleet.origin.requested(`/${filename}`, 2);
    const second = ask(other.url);
    await other.logged(({ msg }) => msg === 'the same request again: joined');
    body.resolve();
    const answers = await Promise.all([first, second]);
    expect(answers.map((answer) => answer.body)).toEqual([done, done]);
    expect(new Set(answers.map(({ headers }) => headers['sampan-operation-id'])).size).toBe(1);
    expect(fleet.origin.requests(`/${filename}`)).toBe(2);
    // Both were told: the same again is a new deploy, wherever it is asked for.
    const again = await ask(other.url);
    expect(again.body).toEqual(done);
    expect(again.headers['sampan-operation-id']).not.toBe(answers[0]?.headers['sampan-operation-id']);
  });

  it('asked for the same in the same moment begin one rollout', async () => {
    const { fleet, controller } = await testCluster(1);
    const members = [await controller(), await controller()];
    for (let round = 0; round < 10; round += 1) {
      const { file_url, filename } = fleet.pack(`web-${round}`);
      // None has ended before all have come.
      const after = Promise.all(members.map(bothAreIn));
      fleet.origin.serve(`/${filename}`, { body: tarball({ version: `web-${round}` }), after });
      const order = { ...SHOP, server_list: fleet.names, file_url, filename };
      const answers = await Promise.all(
        [...members, ...members].map(({ url }) => sendRequest(`${url}/deploy`, { method: 'POST', body: order })),
      );
      expect(answers.map(({ body }) => body)).toEqual(answers.map(() => done));
      const ids = new Set(answers.map(({ headers }) => headers['sampan-operation-id']));
      expect(fleet.origin.requests(`/${filename}`)).toBe(1);
      for (const id of ids) expect(fleet.hosts[0]?.flips(String(id))).toBeLessThanOrEqual(1);
    }
  });

  it('asked one after the other for the same begin anew each time: what was told is told to nobody else', async () => {
    const { fleet, controller } = await testCluster(1);
    const members = [await controller(), await controller()];
    const order = { ...SHOP, server_list: fleet.names, ...fleet.pack('web-1') };
    const ids = new Set<unknown>();
    for (let n = 0; n < 12; n += 1) {
      const { body, headers } = await sendRequest(`${members[n % 2]!.url}/deploy`, { method: 'POST', body: order });
      expect(body).toEqual(done);
      ids.add(headers['sampan-operation-id']);
    }
    expect(ids.size).toBe(12);
  });

  it('asked in the same moment with the same key answer from one rollout', async () => {
    const { fleet, controller } = await testCluster(1);
    const members = [await controller(), await controller()];
    for (let round = 0; round < 8; round += 1) {
      const body = { ...SHOP, server_list: fleet.names, ...fleet.pack(`web-${round}`) };
      const headers = { 'idempotency-key': `round-${round}` };
      const answers = await Promise.all(
        members.map(({ url }) => sendRequest(`${url}/deploy`, { method: 'POST', body, headers })),
      );
      expect(answers.map((answer) => answer.body)).toEqual([done, done]);
      expect(new Set(answers.map((answer) => answer.headers['sampan-operation-id'])).size).toBe(1);
    }
  });

  it('that drain leave what waits to others at once, and see to what is asked of the rest until it has ended', async () => {
    const { fleet, controller } = await testCluster(2);
    const [one, other] = [await controller(), await controller()];
    const paused = { ...SHOP, link_name: 'paused', hosts: fleet.names, ...fleet.pack('web-1'), canary: 1 };
    const left = await one.api.begin(paused);
    await one.api.watch(left).until(({ state }) => state === 'paused');
    const body = Promise.withResolvers<void>();
    const { file_url, filename } = fleet.pack('web-2');
    fleet.origin.serve(`/${filename}`, { body: tarball({ version: 'web-2' }), after: body.promise });
    const runs = { ...SHOP, server_list: fleet.names, file_url, filename };
    const told = sendRequest(`${one.url}/deploy`, { method: 'POST', body: runs });
    await fleet.origin.requested(`/${filename}`, 2);
    const stopped = one.stop('SIGTERM');
    await other.logged(({ msg, operationId }) => msg === 'rollout taken up again' && operationId === left);
    const { rollouts } = (await other.api.get('/rollouts?link_name=web')).body as { rollouts: { id: string }[] };
    expect((await other.api.post(`/rollouts/${rollouts[0]?.id}/cancel`)).status).toBe(202);
    expect((await told).body).toMatchObject({ status_code: 501 });
    expect((await other.api.rollout(rollouts[0]?.id ?? '')).state).toBe('cancelled');
    body.resolve();
    await stopped;
  });

  it('carry on at once with what one of them leaves, and within ten seconds with what it dies of', async () => {
    const { fleet, controller } = await testCluster(3);
    const one = await controller();
    const other = await controller();
    const order = (version: string) => ({ ...SHOP, hosts: fleet.names, ...fleet.pack(version), canary: 1 });
    const left = await one.api.begin(order('web-1'));
    await one.api.watch(left).until(({ state }) => state === 'paused');
    await one.stop('SIGTERM');
    await other.logged(({ msg, operationId }) => msg === 'rollout taken up again' && operationId === left);
    expect((await other.api.post(`/rollouts/${left}/resume`)).status).toBe(202);
    await other.api.watch(left).closed;
    expect(fleet.hosts.map((host) => [host.linked('web'), host.flips(left)])).toEqual(
      fleet.names.map(() => ['web-1', 1]),
    );

    const third = await controller();
    const orphan = await third.api.begin(order('web-2'));
    await third.api.watch(orphan).until(({ state }) => state === 'paused');
    await third.stop('SIGKILL');
    // Nobody carries it out just now: who asks is heard by whoever does next.
    expect((await other.api.post(`/rollouts/${orphan}/resume`)).status).toBe(202);
    await other.api.watch(orphan).closed;
    expect(await other.api.rollout(orphan)).toMatchObject({ state: 'succeeded' });
    expect(fleet.hosts.map((host) => [host.linked('web'), host.flips(orphan)])).toEqual(
      fleet.names.map(() => ['web-2', 1]),
    );
  }, 60_000);

  it('one that was only asleep while the other took its rollout over leaves it alone, and tells its caller how it came out', async () => {
    const { fleet, controller } = await testCluster(2);
    const waits = fleet.hosts.map(({ dir }) => join(dir, 'wait'));
    for (const file of waits) writeFileSync(file, '');
    const [asleep, awake] = [await controller(), await controller()];
    const order = { ...SHOP, server_list: fleet.names, ...fleet.pack('web-1'), health_check: WAITING };
    const told = sendRequest(`${asleep.url}/deploy`, { method: 'POST', body: order });
    await expect
      .poll(() => fleet.hosts.map((host) => host.linked('web')), { timeout: 20_000 })
      .toEqual(['web-1', 'web-1']);
    process.kill(asleep.pid, 'SIGSTOP');
    const { operationId } = await awake.logged(({ msg }) => msg === 'rollout taken up again');
    const id = String(operationId);
    for (const file of waits) rmSync(file);
    await awake.api.watch(id).closed;
    const before = await awake.api.storedEvents(id);
    process.kill(asleep.pid, 'SIGCONT');
    await asleep.logged(({ msg }) => msg === 'rollout left: another controller carries it out');
    expect((await told).body).toEqual(done);
    expect(await awake.api.storedEvents(id)).toEqual(before);
    expect(before.map(({ seq }) => seq)).toEqual(before.map((_, index) => index + 1));
    expect(fleet.hosts.map((host) => host.flips(id))).toEqual([1, 1]);
  }, 60_000);
});

/** After the flip, it is not known whether a host is well while there is a file `wait` beside its agent. */
const WAITING = { command: ['sh', '-c', 'while test -e ../../../wait; do sleep 0.05; done'], timeout_seconds: 60 };

/** Once two of the same request are known to a controller: both joined one that was known before, or one began it and the other joined. */
function bothAreIn({ log, logged }: StartedProcess): Promise<unknown> {
  const before = log.length;
  return logged(() => {
    const messages = log.slice(before).map(({ msg }) => msg);
    const joined = messages.filter((msg) => msg === 'the same request again: joined').length;
    const hasBegun = messages.some(
      (msg) => msg === 'rollout started' || msg === 'another controller was first with the same request',
    );
    return joined >= (hasBegun ? 1 : 2);
  });
}
