import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { postgresSettings } from '@sampan/controller/store/postgres-settings.ts';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Cluster, SHOP, testCluster } from '../../helpers/controller-cluster.ts';
import { requires } from '../../helpers/requires.ts';
import { sendRequest } from '../../helpers/send-request.ts';
import { startController } from '../../helpers/start-controller.ts';
import { V1Client } from '../../helpers/v1-client.ts';

const done = { status_code: 200, data: '部署成功!' };
/** After the flip, it is not known whether a host is well while there is a file `wait` beside its agent. */
const WAITING = { command: ['sh', '-c', 'while test -e ../../../wait; do sleep 0.05; done'], timeout_seconds: 60 };

describe.runIf(requires('postgresql'))('controllers whose database is away', () => {
  it('one that alone cannot reach it decides nothing: the other carries on, and each host is flipped once', async () => {
    const cluster = await testCluster(4);
    const { fleet, database } = cluster;
    const wire = await cluster.wire();
    const [cut, other] = [await cluster.controller(wire.through(database)), await cluster.controller()];
    wait(cluster, true);
    const order = { ...SHOP, server_list: fleet.names, ...fleet.pack('web-1'), batch: 2, health_check: WAITING };
    const told = sendRequest(`${cut.url}/deploy`, { method: 'POST', body: order });
    await expect.poll(() => linked(cluster).filter((version) => version === 'web-1').length).toBe(2);
    wire.leadTo(undefined);
    wire.forget();
    const { operationId } = await other.logged(({ msg }) => msg === 'rollout taken up again');
    const id = String(operationId);
    wait(cluster, false);
    await other.api.watch(id).closed;
    expect(await other.api.rollout(id)).toMatchObject({ state: 'succeeded' });
    expect(fleet.hosts.map((host) => [host.linked('web'), host.flips(id)])).toEqual(
      fleet.names.map(() => ['web-1', 1]),
    );
    wire.leadTo(cluster.postgres.socket);
    await cut.logged(({ msg }) => msg === 'rollout left: another controller carries it out');
    expect((await told).body).toEqual(done);
    const events = await cut.api.storedEvents(id);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    // It is as good as new.
    const next = await sendRequest(`${cut.url}/deploy`, {
      method: 'POST',
      body: { ...SHOP, server_list: fleet.names, ...fleet.pack('web-2') },
    });
    expect(next.body).toEqual(done);
  }, 120_000);

  it('one that is cut off in the middle of a transaction keeps its rows from nobody', async () => {
    const { fleet, database, controller, wire: cuttable } = await testCluster(2);
    const wire = await cuttable();
    const [cut, other] = [await controller(wire.through(database)), await controller()];
    const id = await cut.api.begin({ ...SHOP, hosts: fleet.names, ...fleet.pack('web-1'), canary: 1 });
    await cut.api.watch(id).until(({ state }) => state === 'paused');
    // As the controller's own connections are, whose next statement never comes.
    const silent = new pg.Client(postgresSettings(wire.through(database), 'sampan-controller'));
    silent.on('error', () => undefined);
    await silent.connect();
    await silent.query('begin');
    await silent.query(`select 1 from rollouts where operation_id = '${id}' for update`);
    wire.leadTo(undefined);
    wire.forget();
    await other.logged(({ msg, operationId }) => msg === 'rollout taken up again' && operationId === id);
    await other.api.post(`/rollouts/${id}/resume`);
    await other.api.watch(id).closed;
    expect(await other.api.rollout(id)).toMatchObject({ state: 'succeeded' });
  }, 120_000);

  it('both carry on where another server becomes the primary, and use none that became a standby', async () => {
    const cluster = await testCluster(3);
    const { fleet, postgres, database } = cluster;
    const wire = await cluster.wire();
    const [next, reader] = [await postgres.startStandby(), await postgres.startStandby()];
    for (const server of [next, reader]) onTestFinished(() => server.stop());
    const [one, other] = [
      await cluster.controller(wire.through(database)),
      await cluster.controller(wire.through(database)),
    ];
    const id = await one.api.begin({ ...SHOP, hosts: fleet.names, ...fleet.pack('web-1'), canary: 1 });
    await one.api.watch(id).until(({ state }) => state === 'paused');
    await next.caughtUpWith(postgres);
    await reader.caughtUpWith(postgres);
    await postgres.crash();
    // The address leads to one that only reads, for a while: what was connected to that is of no use afterwards.
    wire.leadTo(reader.socket);
    for (const { url } of [one, other]) {
      await expect.poll(async () => (await sendRequest(`${url}/readyz`)).status, { timeout: 20_000 }).toBe(503);
    }
    const refused = await sendRequest(`${other.url}/deploy`, {
      method: 'POST',
      body: { ...SHOP, server_list: fleet.names, ...fleet.pack('web-2') },
    });
    expect(refused.body).toMatchObject({ status_code: 500, data: expect.stringMatching(/^无法写入操作记录: /) });
    await next.promote();
    wire.leadTo(next.socket);
    for (const { url } of [one, other]) {
      await expect.poll(async () => (await sendRequest(`${url}/readyz`)).status, { timeout: 20_000 }).toBe(200);
    }
    expect(await other.api.post(`/rollouts/${id}/resume`)).toMatchObject({ status: 202 });
    await expect.poll(async () => (await other.api.rollout(id)).state, { timeout: 60_000 }).toBe('succeeded');
    expect(fleet.hosts.map((host) => [host.linked('web'), host.flips(id)])).toEqual(
      fleet.names.map(() => ['web-1', 1]),
    );
    const again = await sendRequest(`${one.url}/deploy`, {
      method: 'POST',
      body: { ...SHOP, server_list: fleet.names, ...fleet.pack('web-3') },
    });
    expect(again.body).toEqual(done);
  }, 120_000);

  it('one that was restored from a backup takes back nothing that was done since, and its locks are obeyed after one refusal', async () => {
    const { postgres, fleet, database } = await testCluster(2);
    const start = async () => {
      const controller = await startController({ database });
      onTestFinished(async () => void (await controller.stop('SIGKILL')));
      return { controller, api: new V1Client(controller.url) };
    };
    const name = new URL(database).pathname.slice(1);
    const first = await start();
    const old = await first.api.begin({ ...SHOP, hosts: fleet.names, ...fleet.pack('web-1'), canary: 1 });
    await first.api.watch(old).until(({ state }) => state === 'paused');
    await first.controller.stop('SIGKILL');
    await postgres.query('postgres', `create database backup template ${name}`);
    const second = await start();
    await second.controller.logged(({ msg }) => msg === 'rollout taken up again');
    await second.api.post(`/rollouts/${old}/resume`);
    await second.api.watch(old).closed;
    // The clock of whoever gave the next locks out was ahead.
    await postgres.query(name, `update database_identity set fence = fence + 86400000`);
    const newest = await second.api.begin({ ...SHOP, hosts: fleet.names, ...fleet.pack('web-2') });
    await second.api.watch(newest).closed;
    expect(fleet.hosts.map((host) => host.linked('web'))).toEqual(['web-2', 'web-2']);
    await second.controller.stop('SIGKILL');
    await postgres.query('postgres', `drop database ${name}`, `alter database backup rename to ${name}`);

    const third = await start();
    await third.controller.logged(({ msg }) => msg === 'rollout finished');
    const { state, hosts } = await third.api.rollout(old);
    const codes = Object.values(hosts).map(({ error }) => error?.code);
    expect({ state, codes }).toEqual({ state: 'failed', codes: [undefined, 'COMMAND_OUTDATED'] });
    await third.controller.logged(({ msg }) => /was it restored from a backup/.test(String(msg)));
    expect(fleet.hosts.map((host) => host.linked('web'))).toEqual(['web-2', 'web-2']);
    const next = await third.api.begin({ ...SHOP, hosts: fleet.names, ...fleet.pack('web-3') });
    await third.api.watch(next).closed;
    expect(fleet.hosts.map((host) => host.linked('web'))).toEqual(['web-3', 'web-3']);
  }, 120_000);
});

function wait({ fleet }: Cluster, isWaiting: boolean): void {
  for (const { dir } of fleet.hosts) {
    if (isWaiting) writeFileSync(join(dir, 'wait'), '');
    else rmSync(join(dir, 'wait'));
  }
}

function linked({ fleet }: Cluster): (string | null)[] {
  return fleet.hosts.map((host) => host.linked('web'));
}
