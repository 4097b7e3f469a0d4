import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ContractFleet, curl, startContractFleet } from '../../helpers/contract-fleet.ts';
import { requires } from '../../helpers/requires.ts';
import { startAgent } from '../../helpers/start-agent.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

/* How callers really write: what curl does to a body, hosts in all their forms, one host twice. */

let fleet: ContractFleet;
beforeAll(async () => {
  fleet = await startContractFleet();
});
afterAll(() => fleet.stop());

const deployed = '{"status_code":200,"data":"部署成功!"}';
let count = 0;

/** The body of a deploy to a link of its own. */
function deploy(server_list: string[], more: object = {}) {
  count += 1;
  const filename = `app-${count}.tar.gz`;
  return {
    project_name: 'shop',
    link_name: `app-${count}`,
    server_list,
    file_url: fleet.url(filename),
    filename,
    language: 'php',
    ...more,
  };
}

describe.runIf(requires('curl'))('curl', () => {
  it('-d, with the Content-Type that it sends of itself, or with none', async () => {
    const url = `${fleet.controller.url}/deploy`;
    expect(await curl('-d', JSON.stringify(deploy([fleet.a.host])), url)).toBe(deployed);
    expect(await curl('-H', 'Content-Type:', '-d', JSON.stringify(deploy([fleet.a.host])), url)).toBe(deployed);
    const json = ['-H', 'Content-Type: application/json'];
    expect(await curl('-X', 'POST', ...json, '--data-binary', JSON.stringify(deploy([fleet.a.host])), url)).toBe(
      deployed,
    );
  });

  it('-X GET with a body', async () => {
    const body = JSON.stringify({
      project_name: 'shop',
      server_list: [fleet.a.host],
      logname: 'info.log',
      language: 'php',
      line: 12,
    });
    const path = join(fleet.a.logDir, 'shop/info.log');
    expect(await curl('-X', 'GET', '-d', body, `${fleet.controller.url}/get_latest_log`)).toBe(
      JSON.stringify({
        status_code: 200,
        data: { succeed: {}, failed: { [fleet.a.host]: `日志文件不存在: ${path}` } },
      }),
    );
  });

  it('-G with --data-urlencode', async () => {
    const body = deploy([fleet.a.host]);
    await curl('-d', JSON.stringify(body), `${fleet.controller.url}/deploy`);
    const fields = [
      'project_name=shop',
      `link_name=${body.link_name}`,
      'language=PHP',
      `server_list=${fleet.a.host},${fleet.dead}`,
    ];
    const encoded = fields.flatMap((field) => ['--data-urlencode', field]);
    expect(await curl('-G', ...encoded, `${fleet.controller.url}/get_current_version`)).toBe(
      JSON.stringify({
        status_code: 200,
        data: {
          succeed: { [fleet.a.host]: `app-${count}` },
          failed: { [fleet.dead]: `Agent连接失败: ECONNREFUSED ${fleet.dead}` },
        },
      }),
    );
  });
});

describe('hosts', () => {
  const post = (body: object) => fleet.told('/deploy', { method: 'POST', body });

  it('are told of as they were written, less the spaces around', async () => {
    const { text } = await post(deploy([` ${fleet.dead} `, '\tLOCALHOST:1\n']));
    expect(JSON.parse(text)).toEqual({
      status_code: 501,
      data: {
        [fleet.dead]: `Agent连接失败: ECONNREFUSED ${fleet.dead}`,
        'LOCALHOST:1': 'Agent连接失败: ECONNREFUSED localhost:1',
      },
    });
  });

  it('named twice are deployed once', async () => {
    const body = deploy([fleet.a.host, ` ${fleet.a.host}`, fleet.a.host]);
    expect((await post(body)).text).toBe(deployed);
    expect(fleet.downloads(body.filename)).toBe(1);
    expect(fleet.controller.log.findLast(({ msg }) => msg === 'rollout started')).toMatchObject({ hosts: 1 });
    const query = `project_name=shop&link_name=${body.link_name}&language=php`;
    const versions = await fleet.told(`/get_current_version?${query}&server_list=${fleet.a.host},${fleet.a.host}`);
    expect(JSON.parse(versions.text)).toEqual({
      status_code: 200,
      data: { succeed: { [fleet.a.host]: `app-${count}` }, failed: {} },
    });
  });

  it('of one machine under two names are one deploy, of which both are told', async () => {
    const alias = fleet.a.host.replace('127.0.0.1', 'localhost');
    const body = deploy([fleet.a.host, alias, fleet.b.host]);
    expect((await post(body)).text).toBe(deployed);
    // One download for each of the two machines.
    expect(fleet.downloads(body.filename)).toBe(2);
    const gone = deploy([fleet.a.host, alias], { file_url: fleet.url('gone-app.tar.gz') });
    expect(JSON.parse((await post(gone)).text)).toEqual({
      status_code: 501,
      data: { [fleet.a.host]: '下载文件失败: HTTP 404', [alias]: '下载文件失败: HTTP 404' },
    });
    expect(fleet.downloads('gone-app.tar.gz')).toBe(1);
  });

  it('that another rollout works on are failed hosts, and do not refuse the rest', async () => {
    const slow = deploy([fleet.a.host]);
    const same = {
      ...slow,
      file_url: fleet.url('other.tar.gz'),
      filename: 'other.tar.gz',
      server_list: [fleet.a.host, fleet.b.host],
    };
    const [first, second] = await Promise.all([post(slow), post(same)]);
    const answers = [first, second].map(({ text }) => JSON.parse(text) as { status_code: number; data: unknown });
    const failed = answers.filter(({ status_code }) => status_code === 501);
    // Whichever came first has the link; the other is told so, or came when the first was done.
    for (const { data } of failed) {
      expect(data).toEqual({ [fleet.a.host]: expect.stringMatching(/^软连接被占用: 项目 shop 正在操作 /) });
    }
    expect(failed.length).toBeLessThan(2);
    expect(readFileSync(join(fleet.b.serviceDir, slow.link_name, 'version.txt'), 'utf8')).toBe('other.tar.gz');
  });
});

describe.runIf(requires('IPv6'))('hosts of IPv6', () => {
  it('are reached in brackets with a port', async () => {
    const agent = await startAgent(tempDir(), { address: '::1' });
    try {
      const body = deploy([agent.host, fleet.a.host]);
      expect(agent.host).toMatch(/^\[::1\]:\d+$/);
      expect((await fleet.told('/deploy', { method: 'POST', body })).text).toBe(deployed);
      expect(readFileSync(join(agent.serviceDir, body.link_name, 'version.txt'), 'utf8')).toBe(body.filename);
      const query = `project_name=shop&link_name=${body.link_name}&language=php`;
      const asked = `/get_current_version?${query}&server_list=${encodeURIComponent(agent.host)}`;
      expect(JSON.parse((await fleet.told(asked)).text)).toEqual({
        status_code: 200,
        data: { succeed: { [agent.host]: `app-${count}` }, failed: {} },
      });
    } finally {
      await agent.stop();
    }
  });

  it('are reached bare, at the port that is configured', async () => {
    const { text } = await fleet.told('/deploy', { method: 'POST', body: deploy(['::1', '[::1]:1']) });
    expect(JSON.parse(text)).toEqual({
      status_code: 501,
      data: {
        '::1': 'Agent连接失败: ECONNREFUSED [::1]:7410',
        '[::1]:1': 'Agent连接失败: ECONNREFUSED [::1]:1',
      },
    });
  });
});

describe('a log that is longer than an answer may be', () => {
  it('comes with its last MiB, and says so in its first line', async () => {
    const dir = join(fleet.a.logDir, 'long');
    mkdirSync(dir, { recursive: true });
    const lines = Array.from({ length: 999 }, (_, index) => `${String(index).padStart(3, '0')} ${'字'.repeat(700)}`);
    writeFileSync(join(dir, 'error.log'), `${lines.join('\n')}\n`);
    const query = `project_name=long&logname=error.log&language=java&line=999&server_list=${fleet.a.host}`;
    const { text } = await fleet.told(`/get_latest_log?${query}`);
    const { data } = JSON.parse(text) as { data: { succeed: Record<string, string> } };
    const [notice, ...shown] = data.succeed[fleet.a.host]?.split('\n') ?? [];
    expect(notice).toBe('(内容过长, 只返回最后 1 MiB)');
    expect(shown.slice(1)).toEqual([...lines.slice(1001 - shown.length), '']);
    expect(Buffer.byteLength(shown.join('\n'))).toBeGreaterThan(1024 * 1024 - 3000);
  });
});
