import { describe, expect, it, onTestFinished } from 'vitest';
import { startAgentFleet } from '../../helpers/agent-fleet.ts';
import { TestPostgres } from '../../helpers/postgres.ts';
import { requires } from '../../helpers/requires.ts';
import { sendRequest } from '../../helpers/send-request.ts';
import { startController } from '../../helpers/start-controller.ts';
import { V1Client } from '../../helpers/v1-client.ts';

const SHOP = { operation: 'deploy', project_name: 'shop', link_name: 'web', language: 'php' };

/** What `/metrics` says of the database. */
async function writable(url: string): Promise<string | undefined> {
  const { text } = await sendRequest(`${url}/metrics`);
  return /^sampan_database_writable (\d)$/m.exec(text)?.[1];
}

describe.runIf(requires('postgresql'))('a controller on PostgreSQL', () => {
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
    expect(await writable(controller.url)).toBe('0');
    expect(fleet.hosts[0]?.linked('web')).toBe('web-1');
    await startAgain();
    await expect.poll(async () => (await sendRequest(`${controller.url}/readyz`)).status).toBe(200);
    expect(await writable(controller.url)).toBe('1');
    const taken = await sendRequest(`${controller.url}/deploy`, { method: 'POST', body: order });
    expect(taken.body).toEqual({ status_code: 200, data: '部署成功!' });
  });

  it('is told of in the log without the password', async () => {
    const postgres = await TestPostgres.start();
    onTestFinished(() => postgres.stop());
    const controller = await startController({ database: await postgres.createDatabase() });
    onTestFinished(async () => void (await controller.stop()));
    expect(controller.readyLine.database).toMatch(/^postgres:\/\/localhost\/test_/);
    expect(JSON.stringify(controller.log)).not.toContain('s3cr3t');
    await expect(startController({ database: postgres.url('missing') })).rejects.toThrow(
      /database: postgres:\/\/localhost\/missing cannot be used: database "missing" does not exist/,
    );
  });
});
