import { rm } from 'node:fs/promises';
import { expect } from 'vitest';
import { startGuarded } from '../../helpers/access-fleet.ts';
import { startController } from '../../helpers/start-controller.ts';
import { DEPLOYED } from '../harness/answer.ts';
import { attempt, outcomeOf, standing, violations } from '../harness/attempt.ts';
import type { CaseTable } from '../harness/run-cases.ts';
import { refusedUntouched } from '../harness/untouched.ts';
import type { World } from '../harness/world.ts';

const NAME_RULE = '应为 以字母或数字开头, 只含字母、数字和 . _ -, 不含 "..", 最长 128 个字符';
const OF_SHOP = 'token 权限不足: 只能用于项目 other, 请求的是 shop';
const PATHS = ['/deploy', '/rollback', '/init_deploy'];

export const http: CaseTable<'http', World> = {
  '__proto__ and constructor keys': {
    speed: 'fast',
    async run(world) {
      const made = world.next();
      const fields = JSON.stringify(world.request(made)).slice(1, -1);
      // They are fields that nobody knows, which old clients may send.
      const body = `{"__proto__":{"language":"ruby","link_name":"other"},${fields},"constructor":{"prototype":{"x":1}}}`;
      const before = await world.listed();
      const answer = await world.post('/deploy', body);
      expect(answer).toEqual(DEPLOYED);
      expect(await world.listed()).toEqual([made.version, ...before]);
      expect(await standing(world)).toEqual([]);
      return { outcome: String(answer.data) };
    },
  },
  'null for a string': {
    speed: 'fast',
    async run(world) {
      const body = world.request(world.next(), { project_name: null });
      const answer = await refusedUntouched(world, '/deploy', { method: 'POST', body });
      const data = `参数错误: project_name 收到 null, ${NAME_RULE}`;
      expect([answer.status, answer.body]).toEqual([400, { status_code: 400, data }]);
      return { outcome: data };
    },
  },
  'unknown JSON (not an object, broken, 100,000 levels)': {
    speed: 'fast',
    async run(world) {
      const sent = {
        '[1]': '参数错误: 请求体 收到 列表, 应为 JSON 对象',
        '"x"': '参数错误: 请求体 收到 "x", 应为 JSON 对象',
        '{"project_name":': '参数错误: 请求体 收到 不是 JSON 的内容 (Unexpected end of JSON input), 应为 JSON 对象',
        [`{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`]:
          '参数错误: 请求体 收到 超过 64 层的嵌套, 应为 JSON 对象',
      };
      for (const [body, data] of Object.entries(sent)) {
        for (const path of PATHS) {
          const answer = await refusedUntouched(world, path, { method: 'POST', body });
          expect([path, answer.status, answer.body]).toEqual([path, 400, { status_code: 400, data }]);
        }
      }
      return { outcome: Object.values(sent).join('; ') };
    },
  },
  'over 1 MiB (413)': {
    speed: 'fast',
    async run(world) {
      const body = world.request(world.next(), { padding: 'x'.repeat(1024 ** 2) });
      const answer = await refusedUntouched(world, '/deploy', { method: 'POST', body });
      const data = '请求体过大: 最大 1 MiB';
      expect([answer.status, answer.body]).toEqual([413, { status_code: 413, data }]);
      return { outcome: `413 ${data}` };
    },
  },
  'a forged X-Forwarded-For': {
    speed: 'fast',
    async run(world) {
      const controller = await startController({ auth: { allow_ips: ['10.0.0.0/8'] } });
      try {
        const body = world.request(world.next());
        const headers = { 'x-forwarded-for': '10.1.2.3', 'x-real-ip': '10.1.2.3', forwarded: 'for=10.1.2.3' };
        const answer = await refusedUntouched(world, '/deploy', { at: controller.url, method: 'POST', body, headers });
        const data = '拒绝访问: 客户端地址 127.0.0.1 不在配置 auth.allow_ips 之内';
        expect([answer.status, answer.body]).toEqual([403, { status_code: 403, data }]);
        return { outcome: `403 ${data}` };
      } finally {
        await controller.stop('SIGKILL');
      }
    },
  },
  'missing, wrong, out-of-scope token on every route': {
    speed: 'fast',
    async run(world) {
      const controller = await startGuarded({ auth: { tokens: 'required' } });
      const { url: at } = controller;
      try {
        const token = await controller.token('other', 'read', '--project', 'other');
        const made = world.next();
        const body = {
          ...world.request(made),
          filename: made.filename,
          superconf_content: '[program:x]\ncommand=/x\n',
        };
        const read = { project_name: 'shop', server_list: [world.host], language: 'php', link_name: 'web' };
        const rows: [string, string, object, string][] = [
          ['POST', '/deploy', body, 'token 权限不足: 需要 deploy, 只有 read'],
          ['POST', '/rollback', body, 'token 权限不足: 需要 deploy, 只有 read'],
          ['POST', '/init_deploy', { ...body, language: 'java' }, 'token 权限不足: 需要 config-write, 只有 read'],
          ['GET', '/get_current_version', read, OF_SHOP],
          ['GET', '/get_latest_log', { ...read, logname: 'info.log', line: 1 }, OF_SHOP],
        ];
        const outcomes = new Set<string>();
        for (const [method, path, sent, outOfScope] of rows) {
          const tries = [
            [{}, 401, '缺少 token: 请放在请求头 Authorization: Bearer 或 APP_TOKEN 中'],
            [{ app_token: `${token.slice(0, -1)}1` }, 401, 'token 无效: 不存在或已被吊销'],
            [{ authorization: `Bearer ${token}` }, 403, outOfScope],
          ] as const;
          for (const [headers, status, data] of tries) {
            const answer = await refusedUntouched(world, path, { at, method, body: sent, headers: { ...headers } });
            expect([path, answer.status, answer.body]).toEqual([path, status, { status_code: status, data }]);
            outcomes.add(`${status} ${data}`);
          }
        }
        return { outcome: [...outcomes].join('; ') };
      } finally {
        await controller.stop('SIGKILL');
        await rm(controller.dir, { recursive: true, force: true });
      }
    },
  },
  'server_list empty, not a list, 10,001 hosts, a host twice (once deployed)': {
    speed: 'fast',
    async run(world) {
      const rows: [unknown, string][] = [
        [[], '空列表'],
        [12, '12'],
        [{ 0: world.host }, '对象'],
        [Array.from({ length: 10_001 }, () => world.host), '10001 台主机'],
      ];
      const outcomes = [];
      for (const [server_list, found] of rows) {
        const body = world.request(world.next(), { server_list });
        const answer = await refusedUntouched(world, '/deploy', { method: 'POST', body });
        const data = `参数错误: server_list 收到 ${found}, 应为 1 到 10000 台主机的列表`;
        expect([answer.status, answer.body]).toEqual([400, { status_code: 400, data }]);
        outcomes.push(data);
      }
      const made = world.next();
      const tried = await attempt(world, made, { more: { server_list: [world.host, ` ${world.host} `] } });
      expect(tried.answer).toEqual(DEPLOYED);
      expect(world.origin.requests(`/${made.filename}`)).toBe(1);
      expect(await violations(world, tried)).toEqual([]);
      return { outcome: `${outcomes.join('; ')}; twice: ${outcomeOf(world, tried)}` };
    },
  },
};
