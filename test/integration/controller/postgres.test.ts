import { describe, expect, it, onTestFinished } from 'vitest';
import { startAgentFleet } from '../../helpers/agent-fleet.ts';
import { startPostgresProxy, TestPostgres } from '../../helpers/postgres.ts';
import { requires } from '../../helpers/requires.ts';
import { sendRequest } from '../../helpers/send-request.ts';
import { startController } from '../../helpers/start-controller.ts';
import { V1Client } from '../../helpers/v1-client.ts';

const SHOP = { operation: 'deploy', project_name: 'shop', link_name: 'web', language: 'php' };

describe.runIf(requires('postgresql'))('a controller on PostgreSQL', () => {
  it('deploys, is the only one, is killed and goes on, and shows no password', async () => {
    const postgres = await TestPostgres.start();
    onTestFinished(() => postgres.stop());
    const database = await postgres.createDatabase();
    const fleet = await startAgentFleet(3);
    onTestFinished(() => fleet[Symbol.asyncDispose]());
    const first = await startController({ database });
    const id = await new V1Client(first.url).begin({ ...SHOP, hosts: fleet.names, ...fleet.pack('web-1'), canary: 1 });
    await new V1Client(first.url).watch(id).until(({ state }) => state === 'paused');
    await expect(startController({ database })).rejects.toThrow(
      /database: postgres:\/\/localhost\/test_\S+ cannot be used: another controller uses it/,
    );
    await first.stop('SIGKILL');
    const second = await startController({ database });
    onTestFinished(async () => void (await second.stop()));
    const api = new V1Client(second.url);
    expect((await api.rollout(id)).state).toBe('paused');
    await expect.poll(async () => (await api.post(`/rollouts/${id}/resume`)).status).toBe(202);
    await api.watch(id).closed;
    expect((await api.rollout(id)).state).toBe('succeeded');
    expect(fleet.hosts.map((host) => [host.linked('web'), host.flips(id)])).toEqual([
      ['web-1', 1],
      ['web-1', 1],
      ['web-1', 1],
    ]);
    expect(fleet.origin.requests('/web-1.tar.gz')).toBe(3);
  });

  it('takes its lock again from its own session whose wire was cut, and is not taken for another controller', async () => {
    const postgres = await TestPostgres.start();
    onTestFinished(() => postgres.stop());
    const database = await postgres.createDatabase();
    const proxy = await startPostgresProxy(postgres.socket);
    onTestFinished(() => proxy.close());
    const controller = await startController({ database: proxy.through(database) });
    onTestFinished(async () => void (await controller.stop()));
    proxy.forget();
    const { msg } = await controller.logged(({ msg }) => /is held again|has the database now/.test(String(msg)));
    expect(msg).toBe('the lock of the database is held again');
    await expect.poll(async () => (await sendRequest(`${controller.url}/readyz`)).status).toBe(200);
  });

  it('says that its database is away, begins nothing meanwhile, and heals by itself when it is back', async () => {
    const postgres = await TestPostgres.start();
    onTestFinished(() => postgres.stop());
    const fleet = await startAgentFleet(1);
    onTestFinished(() => fleet[Symbol.asyncDispose]());
    const controller = await startController({ database: await postgres.createDatabase() });
    onTestFinished(async () => void (await controller.stop()));
    const api = new V1Client(controller.url);
    await api.watch(await api.begin({ ...SHOP, hosts: fleet.names, ...fleet.pack('web-1') })).closed;
    const startAgain = await postgres.crash();
    const order = { ...SHOP, server_list: fleet.names, ...fleet.pack('web-2') };
    const refused = await sendRequest(`${controller.url}/deploy`, { method: 'POST', body: order });
    expect(refused.body).toMatchObject({ status_code: 500, data: expect.stringMatching(/^无法写入操作记录: /) });
    await expect.poll(async () => (await sendRequest(`${controller.url}/readyz`)).status).toBe(503);
    expect(fleet.hosts[0]?.linked('web')).toBe('web-1');
    await startAgain();
    await expect.poll(async () => (await sendRequest(`${controller.url}/readyz`)).status).toBe(200);
    const taken = await sendRequest(`${controller.url}/deploy`, { method: 'POST', body: order });
    expect(taken.body).toEqual({ status_code: 200, data: '部署成功!' });
  });
});
