import type { Scope } from '@sampan/controller/auth/scopes.ts';
import { Tokens } from '@sampan/controller/auth/tokens.ts';
import { accessServices } from '@sampan/controller/http/access.ts';
import { answerErrors } from '@sampan/controller/http/answer-errors.ts';
import { AddressList } from '@sampan/controller/http/client-address.ts';
import type { ControllerApp } from '@sampan/controller/http/controller-app.ts';
import { type AccessRules, guard } from '@sampan/controller/http/door.ts';
import type { RouteAccess } from '@sampan/controller/http/route-access.ts';
import fastify from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testStore } from '../../../helpers/test-store.ts';

const LISTED = '10.0.0.9';

/** An application with routes of every kind, beyond those that there are today. */
async function startApp(rules: Partial<AccessRules>) {
  const store = await testStore();
  const app = fastify() as unknown as ControllerApp;
  onTestFinished(() => app.close());
  answerErrors(app);
  const services = accessServices(store);
  onTestFinished(() => services.refusals.close());
  const defaults = { publicHosts: [], tokensRequired: true, isReachable: true };
  const lists = { allowedClients: new AddressList([LISTED]), trustedProxies: new AddressList([]) };
  guard(app, { ...defaults, ...lists, ...rules }, services);
  const add = (url: string, access: RouteAccess) => app.get(url, { config: { access } }, () => ({ status_code: 200 }));
  add('/public', 'public');
  add('/settings', { scope: 'admin', documented: false, project: 'none' });
  add('/fleet', { scope: 'read', documented: false, project: 'none' });
  add('/version', { scope: 'read', documented: true, project: 'named' });
  app.get('/forgotten', () => ({ status_code: 200 }));
  const tokens = new Tokens(store.db);
  return {
    token: async (name: string, scopes: Scope[], projects?: string[]) =>
      (await tokens.create({ name, scopes, projects })).secret,
    async ask(url: string, { token, from = '192.0.2.1' }: { token?: string; from?: string } = {}) {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const request = { url, remoteAddress: from, headers: { host: '127.0.0.1', ...headers } };
      const answering: Promise<{ json(): unknown }> = app.inject(request);
      const { status_code, data } = (await answering).json() as { status_code: number; data?: string };
      return data === undefined ? status_code : [status_code, data];
    },
  };
}

const missing = [401, '缺少 token: 请放在请求头 Authorization: Bearer 或 APP_TOKEN 中'];
const closed = [403, '拒绝访问: 未启用 token (auth.tokens: off), 只开放五个部署接口'];

describe('a route that is none of the documented ones', () => {
  it('is not opened by an address', async () => {
    const { ask } = await startApp({});
    expect(await ask('/fleet', { from: LISTED })).toEqual(missing);
    expect(await ask('/version?projectName=shop', { from: LISTED })).toBe(200);
  });

  it('is closed where there are no tokens and others can call', async () => {
    const { ask, token } = await startApp({ tokensRequired: false });
    const admin = await token('ops', ['admin']);
    for (const path of ['/fleet', '/settings']) {
      expect(await ask(path, { from: LISTED, token: admin })).toEqual(closed);
      expect(await ask(path)).toEqual(closed);
    }
    expect(await ask('/version?projectName=shop', { from: LISTED })).toBe(200);
    expect(await ask('/public')).toBe(200);
  });

  it('is open on loopback', async () => {
    const nobody = new AddressList([]);
    const { ask } = await startApp({ tokensRequired: false, isReachable: false, allowedClients: nobody });
    expect(await ask('/settings', { from: '127.0.0.1' })).toBe(200);
  });

  it('is not opened by a token that is bound to projects, where it is about none', async () => {
    const { ask, token } = await startApp({});
    const bound = await token('ci', ['admin'], ['shop', 'wiki']);
    expect(await ask('/fleet', { token: bound })).toEqual([
      403,
      'token 权限不足: 只能用于项目 shop, wiki, 该接口不限于一个项目',
    ]);
    expect(await ask('/version?projectName=wiki', { token: bound })).toBe(200);
    expect(await ask('/fleet', { token: await token('ops', ['read']) })).toBe(200);
    expect(await ask('/settings', { token: await token('all', ['read', 'deploy', 'config-write']) })).toEqual([
      403,
      'token 权限不足: 需要 admin, 只有 read, deploy, config-write',
    ]);
  });
});

describe('a route that is not what it says', () => {
  it('lets nobody in who would have to be asked for the project', async () => {
    const { ask, token } = await startApp({});
    expect(await ask('/version', { token: await token('ci', ['read'], ['shop']) })).toEqual([
      500,
      '内部错误, 详情见日志',
    ]);
  });

  it('lets nobody in at all where it does not say who may call it', async () => {
    const { ask, token } = await startApp({});
    const admin = await token('ops', ['admin']);
    expect(await ask('/forgotten', { token: admin, from: LISTED })).toEqual([500, '内部错误, 详情见日志']);
    const open = await startApp({ tokensRequired: false, isReachable: false, allowedClients: new AddressList([]) });
    expect(await open.ask('/forgotten', { from: '127.0.0.1' })).toEqual([500, '内部错误, 详情见日志']);
  });
});
