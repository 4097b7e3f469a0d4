import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tarball } from '../helpers/archives.ts';
import { requires } from '../helpers/requires.ts';
import { startSystem, type TestSystem } from '../helpers/start-system.ts';
import { startSupervisord, type TestSupervisord } from '../helpers/supervisord.ts';

const initialized = { status_code: 200, data: '初始化成功!' };

describe.runIf(requires('supervisord'))('programs under a real supervisord', () => {
  let supervisord: TestSupervisord;
  let system: TestSystem;
  /** Where the programs write down each start, and open the sockets on which they answer. */
  let runDir: string;
  let neighbour: number | undefined;

  beforeAll(async () => {
    supervisord = await startSupervisord();
    runDir = supervisord.dir;
    system = await startSystem({ agent: { supervisor: { ctl: supervisord.ctl, settle: '300ms' } } });
    supervisord.include('neighbour.conf', '[program:neighbour]\ncommand=sleep 100000\nstartsecs=0\n');
    await supervisord.run('update', 'neighbour');
    neighbour = (await supervisord.pids()).neighbour;
  });
  afterAll(async () => {
    // Whatever all these projects did to their own programs, somebody else's went on as it was.
    expect(neighbour).toBeGreaterThan(0);
    expect((await supervisord.pids()).neighbour).toBe(neighbour);
    await system.stop();
    await supervisord.stop();
  });

  it('init_deploy makes supervisor know the program, and starts nothing', async () => {
    const { project_name } = plain('init');
    expect(await system.initDeploy({ project_name, language: 'java', text: conf('init') })).toEqual(initialized);
    expect((await supervisord.run('avail')).stdout).toMatch(/^init +avail /m);
    expect(Object.keys(await supervisord.pids())).toEqual(['neighbour']);
    expect(startsOf('init')).toEqual([]);
  });

  describe.concurrent('restarted by a deploy or a rollback', { timeout: 90_000 }, () => {
    it('a plain program runs each release that is deployed or rolled back to, started once', async () => {
      await system.initDeploy({ project_name: 'plain', language: 'java', text: conf('plain') });
      expect(await system.deploy(plain('plain', '1'))).toEqual(system.deployed);
      expect(await answerOf('plain')).toBe('plain runs 1');
      expect(await system.deploy(plain('plain', '2'))).toEqual(system.deployed);
      expect(await answerOf('plain')).toBe('plain runs 2');
      expect(await system.rollback(plain('plain', '1'))).toEqual(system.rolledBack);
      expect(await answerOf('plain')).toBe('plain runs 1');
      expect(startsOf('plain')).toEqual(['plain 1', 'plain 2', 'plain 1']);
    });

    it('all programs of a group run the new release, each started once', async () => {
      const text = `[group:pair]\nprograms=web,worker\n${conf('web', { deployDir: 'pair' })}${conf('worker', { deployDir: 'pair' })}`;
      await system.initDeploy({ project_name: 'pair', language: 'golang', text });
      for (const version of ['1', '2']) {
        expect(await system.deploy({ ...plain('pair', version), language: 'golang', deploy_dir: 'pair' })).toEqual(
          system.deployed,
        );
        expect(await answerOf('web')).toBe(`web runs ${version}`);
        expect(await answerOf('worker')).toBe(`worker runs ${version}`);
      }
      expect(startsOf('web')).toEqual(['web 1', 'web 2']);
      expect(startsOf('worker')).toEqual(['worker 1', 'worker 2']);
    });

    it('both processes of numprocs=2 run the new release, each started once', async () => {
      const text = `${conf('twin', { deployDir: 'twin', name: 'twin%(process_num)d' })}process_name=%(program_name)s_%(process_num)d\nnumprocs=2\n`;
      await system.initDeploy({ project_name: 'twin', language: 'golang', text });
      for (const version of ['1', '2']) {
        expect(await system.deploy({ ...plain('twin', version), language: 'golang', deploy_dir: 'twin' })).toEqual(
          system.deployed,
        );
        expect(await answerOf('twin0')).toBe(`twin0 runs ${version}`);
        expect(await answerOf('twin1')).toBe(`twin1 runs ${version}`);
      }
      expect(startsOf('twin0')).toEqual(['twin0 1', 'twin0 2']);
      expect(startsOf('twin1')).toEqual(['twin1 1', 'twin1 2']);
    });

    it('a release that crashes at start: the failure is told, the old link and the old program are back', async () => {
      // Without autorestart no start is supervisor's own. It has one more if the crash comes later than startsecs, as on a loaded
      // machine, where it calls the program EXITED instead of FATAL.
      const text = `${conf('frail', { startSecs: 2 })}autorestart=false\n`;
      await system.initDeploy({ project_name: 'frail', language: 'java', text });
      expect(await system.deploy(plain('frail', '1'))).toEqual(system.deployed);
      const crashes = { ...plain('frail', '2'), bytes: tarball({ 'server.mjs': server('2', 'process.exit(3)') }) };
      expect(await system.deploy(crashes)).toEqual({
        status_code: 501,
        data: {
          [system.agent.host]: expect.stringMatching(
            /^服务重启失败: frail 状态为 (FATAL|EXITED).*; 已恢复到原版本, 当前版本 frail-1$/s,
          ),
        },
      });
      expect(readlinkSync(join(system.agent.serviceDir, 'frail'))).toBe('.deploy/frail-1');
      expect(await answerOf('frail')).toBe('frail runs 1');
      expect(startsOf('frail')).toEqual(['frail 1', 'frail 2', 'frail 1']);
    });

    it('auto_rollback: false leaves the release that crashes current, and says so', async () => {
      await system.initDeploy({ project_name: 'stays', language: 'java', text: conf('stays') });
      expect(await system.deploy(plain('stays', '1'))).toEqual(system.deployed);
      const crashes = { ...plain('stays', '2'), bytes: tarball({ 'server.mjs': server('2', 'process.exit(3)') }) };
      expect(await system.deploy({ ...crashes, auto_rollback: false })).toEqual({
        status_code: 501,
        data: { [system.agent.host]: expect.stringMatching(/^服务重启失败: stays .*; 未恢复, 当前版本 stays-2$/s) },
      });
      expect(readlinkSync(join(system.agent.serviceDir, 'stays'))).toBe('.deploy/stays-2');
    });
  });

  it.each([
    ['a section of supervisord itself', '[supervisord]\nlogfile=/tmp/x\n', /^supervisor配置有误: .*supervisord/],
    ['a program of somebody else', '[program:neighbour]\ncommand=sleep 1\n', /^supervisor配置有误: .*neighbour/],
    [
      'a variable that nobody defines',
      '[program:bad]\ncommand=sleep %(ENV_NOWHERE)s\n',
      /^supervisor配置有误: .*ENV_NOWHERE/,
    ],
    ['a user that the host does not know', '[program:bad]\ncommand=sleep 1\nuser=nobody-of-that-name\n', /^supervisor/],
    ['no section at all', 'command=sleep 1\n', /^supervisor配置有误: /],
  ])('init_deploy with %s changes nothing', async (_what, bad, message) => {
    const before = { pids: await supervisord.pids(), reread: await reread(), files: filesIn(supervisord.includeDir) };
    expect(await system.initDeploy({ project_name: 'bad', language: 'java', text: bad })).toEqual({
      status_code: 501,
      data: { [system.agent.host]: expect.stringMatching(message) },
    });
    expect({ pids: await supervisord.pids(), reread: await reread(), files: filesIn(supervisord.includeDir) }).toEqual(
      before,
    );
  });

  it('a program that supervisor does not know is told before anything is downloaded', async () => {
    expect(await system.deploy(plain('unheard', '1'))).toEqual({
      status_code: 501,
      data: { [system.agent.host]: '服务重启失败: supervisor中没有程序 unheard, 请先调用 init_deploy' },
    });
    expect(system.requestsFor(plain('unheard'))).toBe(0);
    expect(readdirSync(system.agent.serviceDir)).not.toContain('unheard');
  });

  it('a supervisord that is down is told before anything is downloaded, and the old release stays', async ({
    onTestFinished,
  }) => {
    const mortal = await startSupervisord();
    onTestFinished(() => mortal.stop());
    const other = await startSystem({ agent: { supervisor: { ctl: mortal.ctl, settle: '300ms' } } });
    onTestFinished(() => other.stop());
    const text = conf('orphan', { of: other });
    expect(await other.initDeploy({ project_name: 'orphan', language: 'java', text })).toEqual(initialized);
    expect(await other.deploy(plain('orphan', '1'))).toEqual(other.deployed);
    await mortal.kill();
    expect(await other.deploy(plain('orphan', '2'))).toEqual({
      status_code: 501,
      data: { [other.agent.host]: expect.stringMatching(/^supervisor不可用: /) },
    });
    expect(other.requestsFor(plain('orphan', '2'))).toBe(0);
    expect(readlinkSync(join(other.agent.serviceDir, 'orphan'))).toBe('.deploy/orphan-1');
    expect(await answerOf('orphan')).toBe('orphan runs 1');
  });

  function plain(project: string, version = '1') {
    return {
      project_name: project,
      link_name: project,
      language: 'java',
      filename: `${project}-${version}.tar.gz`,
      bytes: tarball({ 'server.mjs': server(version) }),
      is_restart: true,
    };
  }

  /** A program that runs `server.mjs` of the release behind its project's link. */
  function conf(
    program: string,
    { deployDir = '', name = program, startSecs = 1, of = system }: ConfOptions = {},
  ): string {
    const link =
      deployDir === '' ? join(of.agent.serviceDir, program) : join(of.agent.root, 'opt', deployDir, deployDir);
    const script = `${process.execPath} ${join(link, 'server.mjs')} ${name} ${runDir}`;
    return `[program:${program}]\ncommand=${script}\nstartsecs=${startSecs}\nstartretries=0\n`;
  }

  function startsOf(name: string): string[] {
    const all = readFileSync(join(runDir, 'starts'), { encoding: 'utf8', flag: 'a+' }).split('\n');
    return all.filter((line) => line.startsWith(`${name} `));
  }

  function answerOf(name: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: join(runDir, `${name}.sock`), agent: false }, (response) => {
        text(response).then(resolve, reject);
      });
      sent.on('error', reject).end();
    });
  }

  async function reread(): Promise<string> {
    return (await supervisord.run('reread')).stdout;
  }
});

interface ConfOptions {
  /** golang: where its link is. java without. */
  deployDir?: string;
  /** Under which name it writes down its starts and answers. */
  name?: string;
  startSecs?: number;
  of?: TestSystem;
}

/** A program that writes down that it has started and answers with its own version; `first` is what it does before. */
function server(version: string, first = ''): string {
  return `import { appendFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
const [name, dir] = process.argv.slice(2);
appendFileSync(\`\${dir}/starts\`, \`\${name} ${version}\\n\`);
${first};
rmSync(\`\${dir}/\${name}.sock\`, { force: true });
createServer((_, answer) => answer.end(\`\${name} runs ${version}\`)).listen(\`\${dir}/\${name}.sock\`);
`;
}

function filesIn(dir: string): Record<string, string> {
  return Object.fromEntries(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), 'utf8')]));
}
