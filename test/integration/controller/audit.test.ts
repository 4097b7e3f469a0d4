import { rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type GuardedController, startGuarded } from '../../helpers/access-fleet.ts';
import { startFakeAgent } from '../../helpers/fake-agent.ts';
import { sendRequest } from '../../helpers/send-request.ts';
import { testController } from '../../helpers/test-controller.ts';

const CLI = `cli ${userInfo().username}`;
const nobody = '127.0.0.1:1';
const file_url = 'http://user:s3cr3t@origin/web-1.tar.gz?signature=s1gn3d';

async function guarded(settings: Record<string, unknown> = {}): Promise<GuardedController> {
  const controller = await startGuarded(settings);
  onTestFinished(async () => {
    await controller.stop('SIGKILL');
    rmSync(controller.dir, { recursive: true, force: true });
  });
  return controller;
}

function post({ url, token }: { url: string; token?: string }, path: string, body: object) {
  const headers: Record<string, string> = token === undefined ? {} : { app_token: token };
  return sendRequest(url + path, { method: 'POST', body, headers });
}

const target = { project_name: 'shop', link_name: 'web', language: 'php' };
const done = { hosts: null, details: { counts: { OK: 1 }, failed: {} } };

describe('the audit trail', () => {
  it('tells who did what, on which hosts, and what came of it', async () => {
    const controller = await guarded({ auth: { tokens: 'required', allow_ips: ['127.0.0.50'] } });
    const { url } = controller;
    const agent = await startFakeAgent();
    const token = await controller.token('ci', 'deploy,config-write', '--project', 'shop');
    await post({ url, token }, '/deploy', {
      ...target,
      server_list: [agent.host, nobody],
      file_url,
      filename: 'web-1.tar.gz',
    });
    await post({ url, token }, '/rollback', { ...target, server_list: [agent.host], filename: 'web-0' });
    const config = { project_name: 'shop', language: 'java', superconf_content: '[program:shop]\n' };
    await post({ url, token }, '/init_deploy', { ...config, server_list: [agent.host] });
    await sendRequest(`${url}/rollback`, {
      method: 'POST',
      from: '127.0.0.50',
      body: { ...target, server_list: [agent.host], filename: 'web-0' },
    });
    await controller.command('token', 'revoke', 'ci');
    const lines = [
      {
        who: CLI,
        address: null,
        action: 'token create',
        project: null,
        hosts: null,
        outcome: 'OK',
        details: { token: 'ci', scopes: ['deploy', 'config-write'], projects: ['shop'] },
      },
      ...twice(
        { who: 'token ci', action: 'deploy' },
        {
          hosts: [agent.host, nobody],
          details: { link: 'web', language: 'php', version: 'web-1', restart: false },
        },
        {
          hosts: null,
          outcome: 'failed',
          details: { counts: { OK: 1, AGENT_UNREACHABLE: 1 }, failed: { [nobody]: 'AGENT_UNREACHABLE' } },
        },
      ),
      ...twice(
        { who: 'token ci', action: 'rollback' },
        { hosts: [agent.host], details: { link: 'web', language: 'php', version: 'web-0', restart: false } },
        { outcome: 'OK', ...done },
      ),
      ...twice(
        { who: 'token ci', action: 'init_deploy' },
        { hosts: [agent.host], details: null },
        { outcome: 'OK', ...done },
      ),
      ...twice(
        { who: 'allow_ips', address: '127.0.0.50', action: 'rollback' },
        { hosts: [agent.host], details: { link: 'web', language: 'php', version: 'web-0', restart: false } },
        { outcome: 'OK', ...done },
      ),
      {
        who: CLI,
        address: null,
        action: 'token revoke',
        project: null,
        hosts: null,
        outcome: 'OK',
        details: { token: 'ci' },
      },
    ];
    await expect.poll(() => controller.audit()).toEqual(lines);
    expect(await controller.audit('--project', 'shop')).toEqual(lines.filter(({ project }) => project === 'shop'));
    expect(await controller.audit('--since', '1ms')).toEqual([]);
  });

  it('holds no token, no URL, and nothing of a query', async () => {
    const controller = await guarded({ auth: { tokens: 'required' } });
    const token = await controller.token('ci', 'deploy');
    const agent = await startFakeAgent();
    await post({ url: controller.url, token }, '/deploy', {
      ...target,
      server_list: [agent.host],
      file_url,
      filename: 'web-1.tar.gz',
    });
    await post({ url: controller.url, token: `${token}x` }, `/deploy?token=${token}`, {});
    await expect.poll(async () => (await controller.audit()).length).toBe(4);
    const { stdout } = await controller.command('audit', '--json');
    for (const secret of [token.slice(7), 's3cr3t', 's1gn3d', 'origin']) expect(stdout).not.toContain(secret);
  });

  it('tells of those who were not let in: the first at once, and no more however often they try', async () => {
    const controller = await guarded({ auth: { tokens: 'required' } });
    const { url } = controller;
    await controller.token('ci', 'read');
    const token = await controller.token('old', 'deploy');
    await controller.command('token', 'revoke', 'old');
    const deploy = { ...target, server_list: [nobody], file_url, filename: 'web-1.tar.gz' };
    for (let count = 0; count < 30; count += 1)
      await post({ url, token: `sampan_${'c'.repeat(32)}` }, '/deploy', deploy);
    await post({ url, token }, '/deploy', deploy);
    const refused = { address: '127.0.0.1', action: 'access', project: null, hosts: null, outcome: 'refused' };
    const details = { code: 'TOKEN_INVALID', method: 'POST', route: '/deploy' };
    await expect
      .poll(async () => (await controller.audit()).slice(3))
      .toEqual([
        { who: 'unknown', ...refused, details },
        { who: 'token old', ...refused, details },
      ]);
    expect(await controller.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    // How often they came again is written when ten minutes are over, or the controller stops.
    expect((await controller.audit()).slice(5)).toEqual([
      { who: 'unknown', ...refused, details: { ...details, again: 29 } },
    ]);
  });

  it('tells of a deploy that outlived its controller as well', async () => {
    const first = await guarded();
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const agent = await startFakeAgent({
      stage: async (_request, write) => {
        await opened;
        write({ result: { release: 'web-1', version: 'web-1' } });
      },
    });
    const body = { ...target, server_list: [agent.host], file_url, filename: 'web-1.tar.gz' };
    const cut = post({ url: first.url }, '/deploy', body).catch(() => 'cut');
    await agent.called('Stage');
    await first.stop('SIGKILL');
    expect(await cut).toBe('cut');
    const second = await testController({ database: `sqlite:${first.dir}/sampan.db` });
    open();
    await second.logged(({ msg }) => msg === 'rollout finished');
    const details = { link: 'web', language: 'php', version: 'web-1', restart: false };
    await expect
      .poll(() => first.audit())
      .toEqual(
        twice(
          { who: 'loopback', action: 'deploy' },
          { hosts: [agent.host], details },
          { outcome: 'OK', hosts: null, details: { counts: { OK: 1 }, failed: {} } },
        ),
      );
  });

  it('is a table for people', async () => {
    const controller = await guarded();
    expect((await controller.command('audit')).stdout).toBe('nothing was done');
    await post({ url: controller.url }, '/rollback', { ...target, server_list: [nobody], filename: 'web-0' });
    await expect
      .poll(async () =>
        (await controller.command('audit')).stdout.replace(/\d{4}-\d\d-\d\d [\d:]{8}Z/g, 'YYYY-MM-DD hh:mm:ssZ'),
      )
      .toBe(
        [
          'TIME                  WHO       FROM       ACTION    PROJECT  OUTCOME  WHAT',
          'YYYY-MM-DD hh:mm:ssZ  loopback  127.0.0.1  rollback  shop     begun    127.0.0.1:1 link=web language=php version=web-0 restart=false',
          'YYYY-MM-DD hh:mm:ssZ  loopback  127.0.0.1  rollback  shop     failed   127.0.0.1:1: AGENT_UNREACHABLE',
        ].join('\n'),
      );
  });
});

/** What takes long has two lines, which share who asked. */
function twice(both: object, begun: object, ended: object) {
  const common = { address: '127.0.0.1', project: 'shop', ...both };
  return [
    { ...common, outcome: 'begun', ...begun },
    { ...common, ...ended },
  ];
}
