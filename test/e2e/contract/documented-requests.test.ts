import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ContractFleet, startContractFleet } from '../../helpers/contract-fleet.ts';
import { requires } from '../../helpers/requires.ts';
import type { StartedAgent } from '../../helpers/start-agent.ts';
import { startSupervisord, type TestSupervisord } from '../../helpers/supervisord.ts';

/*
 * Every documented request, as its document has it, for each language, with success and failure, against real agents.
 * Each test goes on from what those before it have deployed.
 */

/** How the languages differ: what is shipped, the version that is told of it, and where its link is. */
const languages = {
  php: { file: (n: number) => `zeus-0.1.${n}.tar.gz`, version: (n: number) => `zeus-0.1.${n}`, base: 'service' },
  java: { file: (n: number) => `eureka-0.1.${n}.jar`, version: (n: number) => `eureka-0.1.${n}.jar`, base: 'service' },
  golang: { file: (n: number) => `api-0.1.${n}.tgz`, version: (n: number) => `api-0.1.${n}`, base: 'opt/profile' },
};
type Language = keyof typeof languages;

let fleet: ContractFleet;
beforeAll(async () => {
  fleet = await startContractFleet({ b: { supervisor: { ctl: ['/nowhere/supervisorctl'] } } });
});
afterAll(() => fleet.stop());

const json = (answer: object) => ({ status: 200, text: JSON.stringify(answer) });

describe.each(Object.keys(languages) as Language[])('%s', (language) => {
  const { file, version, base } = languages[language];
  const link = `link-${language}`;
  const hosts = () => [fleet.a.host, fleet.b.host];
  const linkOn = (agent: StartedAgent) => join(agent.root, base, link);

  /** The documented body of a deploy: `deploy_dir` is sent for every language. */
  const deploy = (n: number, server_list: string[], more: object = {}) =>
    fleet.told('/deploy', {
      method: 'POST',
      body: {
        project_name: 'mp-sre-platform',
        link_name: link,
        server_list,
        file_url: fleet.url(file(n)),
        filename: file(n),
        filename_delete: file(0),
        language,
        is_restart: false,
        deploy_dir: 'profile',
        ...more,
      },
    });
  const rollback = (filename: string, server_list: string[]) =>
    fleet.told('/rollback', {
      method: 'POST',
      body: {
        project_name: 'mp-sre-platform',
        link_name: link,
        server_list,
        filename,
        language,
        is_restart: false,
        deploy_dir: 'profile',
      },
    });
  const query = (...server_list: string[]) =>
    `project_name=mp-sre-platform&language=${language}&link_name=${link}&server_list=${server_list.join(',')}&deploy_dir=profile`;
  const current = (...server_list: string[]) => fleet.told(`/get_current_version?${query(...server_list)}`);

  it('get_current_version before anything was deployed', async () => {
    const failed = {
      [fleet.a.host]: `没有部署过: 软连接 ${linkOn(fleet.a)} 不存在`,
      [fleet.b.host]: `没有部署过: 软连接 ${linkOn(fleet.b)} 不存在`,
    };
    expect(await current(...hosts())).toEqual(json({ status_code: 200, data: { succeed: {}, failed } }));
  });

  it('rollback before anything was deployed', async () => {
    const failed = `目标版本不存在: ${version(1)}, 没有可回滚的版本`;
    expect(await rollback(file(1), [fleet.a.host])).toEqual(
      json({ status_code: 501, data: { [fleet.a.host]: failed } }),
    );
  });

  it('deploy', async () => {
    expect(await deploy(1, hosts())).toEqual({ status: 200, text: '{"status_code":200,"data":"部署成功!"}' });
    expect(await deploy(2, hosts())).toEqual({ status: 200, text: '{"status_code":200,"data":"部署成功!"}' });
  });

  it('deploy of which some hosts fail', async () => {
    expect(await deploy(2, [fleet.a.host, fleet.dead])).toEqual(
      json({ status_code: 501, data: { [fleet.dead]: `Agent连接失败: ECONNREFUSED ${fleet.dead}` } }),
    );
  });

  it('deploy of what is not there', async () => {
    const failed = '下载文件失败: HTTP 404';
    expect(await deploy(3, hosts(), { file_url: fleet.url(`gone-${file(3)}`) })).toEqual(
      json({ status_code: 501, data: { [fleet.a.host]: failed, [fleet.b.host]: failed } }),
    );
  });

  it('deploy of what is not what its sha256 says', async () => {
    const { text } = await deploy(3, [fleet.a.host], { sha256: 'a'.repeat(64) });
    expect(JSON.parse(text)).toEqual({
      status_code: 501,
      data: {
        [fleet.a.host]: expect.stringMatching(/^文件校验失败: sha256 为 [0-9a-f]{64}, 应为 a{64}$/),
      },
    });
  });

  it('get_current_version', async () => {
    const succeed = { [fleet.a.host]: version(2), [fleet.b.host]: version(2) };
    expect(await current(...hosts())).toEqual(json({ status_code: 200, data: { succeed, failed: {} } }));
  });

  it('get_current_version of which some hosts fail', async () => {
    const succeed = { [fleet.a.host]: version(2) };
    const failed = { [fleet.dead]: `Agent连接失败: ECONNREFUSED ${fleet.dead}` };
    expect(await current(fleet.a.host, fleet.dead)).toEqual(json({ status_code: 200, data: { succeed, failed } }));
  });

  it('get_current_version by repeated parameters, by brackets, and by a JSON body says the same', async () => {
    const expected = await current(...hosts());
    const [a, b] = hosts();
    const rest = `project_name=mp-sre-platform&language=${language}&link_name=${link}&deploy_dir=profile`;
    expect(await fleet.told(`/get_current_version?${rest}&server_list=${a}&server_list=${b}`)).toEqual(expected);
    expect(await fleet.told(`/get_current_version?${rest}&server_list[]=${a}&server_list[]=${b}`)).toEqual(expected);
    expect(await fleet.told(`/get_current_version?${rest}&server_list[0]=${a}&server_list%5B1%5D=${b}`)).toEqual(
      expected,
    );
    const body = {
      project_name: 'mp-sre-platform',
      language,
      link_name: link,
      server_list: hosts(),
      deploy_dir: 'profile',
    };
    expect(await fleet.told('/get_current_version', { body })).toEqual(expected);
    expect(await fleet.told(`/get_current_version?${rest}`, { body: { server_list: hosts() } })).toEqual(expected);
  });

  it('rollback', async () => {
    expect(await rollback(file(1), hosts())).toEqual({ status: 200, text: '{"status_code":200,"data":"回滚成功!"}' });
    const succeed = { [fleet.a.host]: version(1), [fleet.b.host]: version(1) };
    expect(await current(...hosts())).toEqual(json({ status_code: 200, data: { succeed, failed: {} } }));
  });

  it('rollback to what is not there, with what is', async () => {
    const failed = `目标版本不存在: ${version(9)}, 可回滚的版本: ${version(2)}`;
    expect(await rollback(file(9), [fleet.a.host, fleet.dead])).toEqual(
      json({
        status_code: 501,
        data: { [fleet.a.host]: failed, [fleet.dead]: `Agent连接失败: ECONNREFUSED ${fleet.dead}` },
      }),
    );
  });

  it('get_latest_log', async () => {
    const dir = join(fleet.a.logDir, 'mp-sre-platform');
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'info.log'), '一\n二\n三\n');
    const body = {
      project_name: 'mp-sre-platform',
      server_list: hosts(),
      logname: 'info.log',
      language,
      line: 2,
    };
    const path = join(fleet.b.logDir, 'mp-sre-platform/info.log');
    const expected = json({
      status_code: 200,
      data: { succeed: { [fleet.a.host]: '二\n三\n' }, failed: { [fleet.b.host]: `日志文件不存在: ${path}` } },
    });
    expect(await fleet.told('/get_latest_log', { body })).toEqual(expected);
    const address = `project_name=mp-sre-platform&logname=info.log&language=${language}&line=2`;
    expect(await fleet.told(`/get_latest_log?${address}&server_list=${hosts().join(',')}`)).toEqual(expected);
  });

  it('init_deploy where there is no supervisor', async () => {
    const body = {
      project_name: 'mp-sre-platform',
      server_list: [fleet.b.host, fleet.dead],
      language,
      os_system: undefined,
      superconf_content: `[program:mp-sre-platform]\ncommand=/bin/sleep 1000\n`,
    };
    const answer = await fleet.told('/init_deploy', { method: 'POST', body });
    if (language === 'php') {
      const data = '参数错误: language 收到 "php", 应为 java、golang 之一';
      expect(answer).toEqual({ status: 400, text: JSON.stringify({ status_code: 400, data }) });
    } else {
      expect(answer).toEqual(
        json({
          status_code: 501,
          data: {
            [fleet.b.host]: 'supervisor不可用: supervisorctl: ENOENT',
            [fleet.dead]: `Agent连接失败: ECONNREFUSED ${fleet.dead}`,
          },
        }),
      );
    }
  });
});

describe.runIf(requires('supervisord'))('with a real supervisord', () => {
  let supervisord: TestSupervisord;
  let supervised: ContractFleet;
  beforeAll(async () => {
    supervisord = await startSupervisord();
    supervised = await startContractFleet({ a: { supervisor: { ctl: supervisord.ctl, settle: '100ms' } } });
  });
  afterAll(async () => {
    await supervised.stop();
    await supervisord.stop();
  });

  const init = (language: string, superconf_content: string) =>
    supervised.told('/init_deploy', {
      method: 'POST',
      body: {
        project_name: `mp-${language}`,
        server_list: [supervised.a.host],
        language,
        superconf_content,
      },
    });

  it.each(['java', 'golang'])('init_deploy for %s', async (language) => {
    const text = `[program:mp-${language}]\ncommand=/bin/sleep 1000\nautostart=false\n`;
    expect(await init(language, text)).toEqual({ status: 200, text: '{"status_code":200,"data":"初始化成功!"}' });
    expect((await supervisord.run('avail')).stdout).toMatch(new RegExp(`^mp-${language} `, 'm'));
  });

  it.each(['java', 'golang'])('init_deploy for %s of what is refused', async (language) => {
    const failed = 'supervisor配置有误: line 1 为 [supervisord], 应为 [program:name] or [group:name]';
    expect(await init(language, '[supervisord]\nuser=root\n')).toEqual(
      json({ status_code: 501, data: { [supervised.a.host]: failed } }),
    );
  });

  it.each([
    ['java', 'service'],
    ['golang', 'opt/profile'],
  ])(
    'deploy and rollback of %s with a restart',
    async (language, base) => {
      const directory = join(supervised.a.root, base, `link-${language}`);
      await init(language, `[program:mp-${language}]\ncommand=/bin/sleep 1000\ndirectory=${directory}\nstartsecs=0\n`);
      const send = (path: string, n: number, is_restart: boolean) =>
        supervised.told(path, {
          method: 'POST',
          body: {
            project_name: `mp-${language}`,
            link_name: `link-${language}`,
            server_list: [supervised.a.host],
            file_url: supervised.url(`app-${n}.tar.gz`),
            filename: `app-${n}.tar.gz`,
            language,
            is_restart,
            deploy_dir: 'profile',
          },
        });
      const pids: unknown[] = [];
      for (const [path, n, restart, done] of [
        ['/deploy', 1, false, '部署成功!'],
        ['/deploy', 2, true, '部署成功!'],
        ['/rollback', 1, true, '回滚成功!'],
      ] as const) {
        expect(await send(path, n, restart)).toEqual(json({ status_code: 200, data: done }));
        pids.push((await supervisord.pids())[`mp-${language}`]);
      }
      // Nothing ran before the first restart.
      expect(pids[0]).toBeUndefined();
      expect(new Set(pids).size).toBe(3);
    },
    90_000,
  );
});
