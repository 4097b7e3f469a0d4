import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { toldOf } from '../harness/answer.ts';
import { attempt, named, outcomeOf, standing, violations } from '../harness/attempt.ts';
import type { CaseTable, FaultCase } from '../harness/run-cases.ts';
import { INITIALIZED, programText, type SupervisedWorld } from '../harness/supervised-world.ts';

const PROGRAM = '[program:web]\ncommand=sleep 100000\n';

/** Each text once through /init_deploy, beside a program and a file of somebody else. */
export const supervisorTexts: CaseTable<'supervisor texts', SupervisedWorld> = {
  '[supervisord]': refused({
    [`[supervisord]\nlogfile=/tmp/x\n${PROGRAM}`]:
      'supervisor配置有误: line 1 为 [supervisord], 应为 [program:name] or [group:name]',
  }),
  "another file's [program]": refused({
    '[program:other]\ncommand=sleep 1\n':
      'supervisor配置有误: [program:other] 为 already in [program:other] of <supervisor>/conf.d/other.conf, 应为 a name that no other file uses',
  }),
  '[include]': refused({
    [`[include]\nfiles=/tmp/*.conf\n${PROGRAM}`]:
      'supervisor配置有误: line 1 为 [include], 应为 [program:name] or [group:name]',
  }),
  '[unix_http_server] [inet_http_server]': refused({
    [`[unix_http_server]\nfile=/tmp/x.sock\n${PROGRAM}`]:
      'supervisor配置有误: line 1 为 [unix_http_server], 应为 [program:name] or [group:name]',
    [`[inet_http_server]\nport=*:9001\n${PROGRAM}`]:
      'supervisor配置有误: line 1 为 [inet_http_server], 应为 [program:name] or [group:name]',
  }),
  '[rpcinterface:x]': refused({
    [`[rpcinterface:x]\nsupervisor.rpcinterface_factory=os:system\n${PROGRAM}`]:
      'supervisor配置有误: line 1 为 [rpcinterface:x], 应为 [program:name] or [group:name]',
  }),
  '[eventlistener:x]': refused({
    [`[eventlistener:x]\ncommand=sleep 1\nevents=TICK_5\n${PROGRAM}`]:
      'supervisor配置有误: line 1 为 [eventlistener:x], 应为 [program:name] or [group:name]',
  }),
  "another file's program in a [group]": refused({
    [`[group:all-of-us]\nprograms=web,other\n${PROGRAM}`]:
      'supervisor配置有误: [group:all-of-us] programs 为 other, 应为 programs of this text: web',
  }),
  'undefined %(ENV_X)s': refused({
    '[program:web]\ncommand=sleep %(ENV_NOWHERE)s\n':
      'supervisor配置有误: [program:web] command 为 %(ENV_NOWHERE)s, 应为 %(program_name)s, %(group_name)s, %(process_num)s, %(numprocs)s, %(host_node_name)s, %(here)s, or a variable that environment= or supervisord has; %% for a percent sign',
  }),
  'unknown user': refused({
    [`${PROGRAM}user=nobody-of-that-name\n`]:
      'supervisor配置有误: [program:web] user 为 nobody-of-that-name, 应为 a user that this host knows',
  }),
  'a log directory that is missing, outside the log root': {
    speed: 'slow',
    async run(supervised) {
      const { world, initDeploy } = supervised;
      const outside = refused({
        [`${PROGRAM}stdout_logfile=/nowhere/at/all/out.log\n`]:
          'supervisor配置有误: [program:web] stdout_logfile 为 /nowhere/at/all/out.log, 应为 a file below <root>/log, or AUTO or NONE',
      });
      const report = await outside.run(supervised);
      // Below it the directory is made.
      const dir = join(world.home.root, 'log/shop/new');
      expect(await initDeploy(`${programText(world)}stdout_logfile=${dir}/out.log\n`)).toEqual(INITIALIZED);
      expect(existsSync(dir)).toBe(true);
      expect(await initDeploy(programText(world))).toEqual(INITIALIZED);
      return report;
    },
  },
  'no header, BOM, bytes that are not UTF-8': refused({
    'command=sleep 1\n':
      'supervisor配置有误: line 1 为 "command=sleep 1", 应为 a section header such as [program:name]',
    [`\ufeff${PROGRAM}`]: 'supervisor配置有误: line 1 为 a byte order mark, 应为 UTF-8 without one',
    [`${PROGRAM}environment=NAME="\ufffd"\n`]: 'supervisor配置有误: line 3 为 bytes that are not UTF-8, 应为 UTF-8',
  }),
  'numprocs 5000': refused({
    [`${PROGRAM}numprocs=5000\nprocess_name=web_%(process_num)d\n`]:
      'supervisor配置有误: [program:web] numprocs 为 "5000", 应为 a whole number from 1 to 100',
  }),
  'a missing binary (→ written; the deploy that restarts it fails and goes back)': {
    speed: 'slow',
    async run(supervised) {
      const { world, initDeploy, configFile, supervisord } = supervised;
      const text = programText(world).replace('sleep', '/nowhere/sleep');
      const before = (await supervisord.pids()).web;
      expect(await initDeploy(text)).toEqual(INITIALIZED);
      expect(readFileSync(configFile, 'utf8')).toBe(text);
      expect((await supervisord.pids()).web).toBe(before);
      const tried = await attempt(world, world.next());
      const outcome = outcomeOf(world, tried);
      expect(outcome).toMatch(/^服务重启失败: web 状态为 /);
      const mend = async () => expect(await initDeploy(programText(world))).toEqual(INITIALIZED);
      expect(await violations(world, tried, { mend })).toEqual([]);
      expect(await supervised.othersFaults()).toEqual([]);
      return { outcome };
    },
  },
  'CRLF (→ accepted)': {
    speed: 'slow',
    async run(supervised) {
      const { world, initDeploy, configFile } = supervised;
      const text = programText(world).replaceAll('\n', '\r\n');
      expect(await initDeploy(text)).toEqual(INITIALIZED);
      expect(readFileSync(configFile, 'utf8')).toBe(text);
      const tried = await attempt(world, world.next());
      expect(outcomeOf(world, tried)).toBe('部署成功!');
      expect(await violations(world, tried)).toEqual([]);
      expect(await supervised.othersFaults()).toEqual([]);
      return { outcome: String(INITIALIZED.data) };
    },
  },
  'over 64 KiB': refused({
    [`${PROGRAM};${'x'.repeat(64 * 1024)}\n`]:
      '参数错误: superconf_content 收到 65573 字节, 应为 不为空且不超过 65536 字节的文本',
  }),
};

/** Each of these texts is told so, and changes nothing. */
function refused(texts: Record<string, string>): FaultCase<SupervisedWorld> {
  return {
    speed: 'slow',
    async run(supervised) {
      const { world, initDeploy } = supervised;
      const outcomes = [];
      for (const [text, expected] of Object.entries(texts)) {
        const before = await supervisorStateOf(supervised);
        const answer = await initDeploy(text);
        const told = answer.status_code === 400 ? String(answer.data) : toldOf(answer, world.host);
        const outcome = named(world, { made: world.next(), before: null }, told).replace(
          supervised.supervisord.dir,
          '<supervisor>',
        );
        expect(outcome).toBe(expected);
        expect(await supervisorStateOf(supervised)).toEqual(before);
        expect(await standing(world)).toEqual([]);
        outcomes.push(outcome);
      }
      expect(await supervised.othersFaults()).toEqual([]);
      // The same request with a text that is right.
      expect(await initDeploy(programText(world))).toEqual(INITIALIZED);
      return { outcome: outcomes.join('; ') };
    },
  };
}

/** All files that supervisor reads, what it would change, and who runs. */
async function supervisorStateOf({ supervisord, world }: SupervisedWorld): Promise<unknown> {
  const { includeDir } = supervisord;
  const files = Object.fromEntries(
    readdirSync(includeDir).map((name) => [name, readFileSync(join(includeDir, name), 'utf8')]),
  );
  const logs = join(world.home.root, 'log');
  return {
    files,
    reread: (await supervisord.run('reread')).stdout,
    pids: await supervisord.pids(),
    logs: existsSync(logs) ? readdirSync(logs, { recursive: true }) : [],
  };
}
