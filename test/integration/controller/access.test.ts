import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { type GuardedController, startGuarded } from '../../helpers/access-fleet.ts';
import { type FakeAgent, startFakeAgent } from '../../helpers/fake-agent.ts';
import { type Request, sendRequest } from '../../helpers/send-request.ts';
import type { StartedController } from '../../helpers/start-controller.ts';

/** What anybody may call. A route that is neither here nor below fails the test. */
const publicRoutes = [
  'GET /docs',
  'GET /docs/json',
  'GET /docs/static/*',
  'GET /docs/static/index.html',
  'GET /docs/static/swagger-initializer.js',
  'GET /docs/yaml',
  'GET /healthz',
  'GET /metrics',
  'GET /openapi.json',
  'GET /readyz',
  'HEAD /docs/static/*',
  'HEAD /healthz',
  'HEAD /readyz',
];

/** And where there is a CA. The join asks for a join token, and is tried with wrong ones in test/integration/identity/join.test.ts. */
const joinRoutes = ['GET /v1/agents/ca.pem', 'POST /v1/agents/join'];

const of = { project_name: 'shop', link_name: 'web', language: 'php' };
const artifact = { file_url: 'http://origin/web-1.tar.gz', filename: 'web-1.tar.gz' };
const config = { superconf_content: '[program:shop]\ncommand=/bin/true\n' };

/** Every other route: the scope that it asks for, and a request to it that would do something. */
const guarded: Record<string, { scope: string; request: (host: string) => { path: string } & Request }> = {
  'POST /deploy': {
    scope: 'deploy',
    request: (host) => ({ path: '/deploy', method: 'POST', body: { ...of, ...artifact, server_list: [host] } }),
  },
  'POST /rollback': {
    scope: 'deploy',
    request: (host) => ({
      path: '/rollback',
      method: 'POST',
      body: { ...of, server_list: [host], filename: 'web-0.tar.gz' },
    }),
  },
  'POST /init_deploy': {
    scope: 'config-write',
    request: (host) => ({
      path: '/init_deploy',
      method: 'POST',
      body: { project_name: 'shop', language: 'java', server_list: [host], ...config },
    }),
  },
  'GET /get_current_version': {
    scope: 'read',
    request: (host) => ({ path: `/get_current_version?${new URLSearchParams({ ...of, server_list: host })}` }),
  },
  'GET /get_latest_log': {
    scope: 'read',
    request: (host) => ({
      path: '/get_latest_log',
      body: { ...of, server_list: [host], logname: 'info.log', line: 1 },
    }),
  },
};

/** The routes of `/v1`, by what they are told to be, each with a request that would do something. `:id` is a rollout of the project shop. */
const guardedV1: Record<
  string,
  { scope: string; project: 'named' | 'none' | 'found'; request: (host: string) => { path: string } & Request }
> = {
  'POST /v1/rollouts': {
    scope: 'deploy',
    project: 'named',
    request: (host) => ({
      path: '/v1/rollouts',
      method: 'POST',
      body: { operation: 'deploy', ...of, ...artifact, hosts: [host] },
    }),
  },
  'GET /v1/rollouts': { scope: 'read', project: 'found', request: () => ({ path: '/v1/rollouts' }) },
  'GET /v1/rollouts/:id': { scope: 'read', project: 'found', request: () => ({ path: '/v1/rollouts/:id' }) },
  'GET /v1/rollouts/:id/events': {
    scope: 'read',
    project: 'found',
    request: () => ({ path: '/v1/rollouts/:id/events' }),
  },
  ...Object.fromEntries(
    ['cancel', 'pause', 'resume', 'retry'].map((change) => [
      `POST /v1/rollouts/:id/${change}`,
      {
        scope: 'deploy',
        project: 'found' as const,
        request: () => ({ path: `/v1/rollouts/:id/${change}`, method: 'POST' }),
      },
    ]),
  ),
  'GET /v1/hosts': { scope: 'read', project: 'none', request: (host) => ({ path: `/v1/hosts?hosts=${host}` }) },
  'GET /v1/releases': {
    scope: 'read',
    project: 'named',
    request: (host) => ({ path: `/v1/releases?${new URLSearchParams({ ...of, hosts: host })}` }),
  },
  'GET /v1/versions': {
    scope: 'read',
    project: 'named',
    request: (host) => ({ path: `/v1/versions?${new URLSearchParams({ ...of, hosts: host })}` }),
  },
  'GET /v1/logs/follow': {
    scope: 'read',
    project: 'named',
    request: (host) => ({
      path: `/v1/logs/follow?${new URLSearchParams({ project_name: 'shop', language: 'php', logname: 'info.log', hosts: host })}`,
    }),
  },
};

const SCOPES = ['read', 'deploy', 'config-write'];
const LISTED = '127.0.0.50';
const PROXY = '127.0.0.60';
const challenge = 'Bearer realm="sampan"';
const missing = [401, '缺少 token: 请放在请求头 Authorization: Bearer 或 APP_TOKEN 中', challenge];
const invalid = [401, 'token 无效: 不存在或已被吊销', `${challenge}, error="invalid_token"`];

let controller: GuardedController;
let agent: FakeAgent;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  controller = await startGuarded({
    auth: { tokens: 'required', allow_ips: [LISTED], trusted_proxies: [PROXY] },
  });
  for (const scope of [...SCOPES, 'admin']) tokens[scope] = await controller.token(scope, scope);
  for (const scope of SCOPES) {
    tokens[`without ${scope}`] = await controller.token(
      `without-${scope}`,
      SCOPES.filter((other) => other !== scope).join(','),
    );
  }
  for (const name of ['revoked', 'expired']) tokens[name] = await controller.token(name, 'admin');
  for (const [name, projects] of Object.entries({ 'of-shop': 'shop,blog', 'of-wiki': 'wiki' })) {
    tokens[name] = await controller.token(name, 'admin', '--project', projects);
  }
  expect(await controller.command('token', 'revoke', 'revoked')).toEqual({
    code: 0,
    stdout: 'revoked is revoked',
    stderr: '',
  });
  controller.expire('expired');
});
beforeEach(async () => {
  agent = await startFakeAgent();
});
afterAll(async () => {
  await controller.stop();
  await rm(controller.dir, { recursive: true, force: true });
});

const bearer = (name: string) => ({ authorization: `Bearer ${tokens[name]}` });

/** What the controller itself says it serves. */
async function routesOf({ logged }: StartedController): Promise<{ route: string; access: unknown }[]> {
  const { routes } = await logged(({ msg }) => msg === 'routes');
  return (routes as { route: string; access: unknown }[]).sort((a, b) => (a.route < b.route ? -1 : 1));
}

/** Status, `data` and challenge of the answer to a request that would do something. */
async function told(route: string, more: Request & { query?: string } = {}) {
  const { path, ...request } = guarded[route]!.request(agent.host);
  const { query = '', ...changes } = more;
  const at = controller.url + path + (query && (path.includes('?') ? '&' : '?') + query);
  const { status, body, headers } = await sendRequest(at, { ...request, ...changes });
  return [status, (body as { data: unknown }).data, headers['www-authenticate']];
}

describe('the routes', () => {
  it('are these, and each declares who may call it', async () => {
    const found = await routesOf(controller);
    expect(
      found
        .filter(({ access }) => access === 'public')
        .map(({ route }) => route)
        .sort(),
    ).toEqual(publicRoutes);
    const others = found.filter(({ access }) => access !== 'public');
    expect(others.map(({ route }) => route).sort()).toEqual(
      [...Object.keys(guarded), ...Object.keys(guardedV1)].sort(),
    );
    for (const { route, access } of others) {
      const expected = guarded[route]
        ? { scope: guarded[route].scope, documented: true, project: 'named' }
        : { scope: guardedV1[route]!.scope, documented: false, project: guardedV1[route]!.project };
      expect([route, access]).toEqual([route, expected]);
    }
  });

  it('are these and what hosts join by, where there is a CA', async () => {
    const withCa = await startGuarded({ auth: { tokens: 'required' } }, { init: true });
    onTestFinished(async () => {
      await withCa.stop();
      await rm(withCa.dir, { recursive: true, force: true });
    });
    const found = await routesOf(withCa);
    expect(found.filter(({ access }) => access === 'public').map(({ route }) => route)).toEqual(
      [...publicRoutes, ...joinRoutes].sort(),
    );
    expect(found.filter(({ access }) => access !== 'public').map(({ route }) => route)).toEqual(
      [...Object.keys(guarded), ...Object.keys(guardedV1)].sort(),
    );
    // Public, and yet it asks for a token, of its own kind; one of the API is none.
    const body = { token: await withCa.token('ops', 'admin'), csr: 'x' };
    const { status } = await sendRequest(`${withCa.url}/v1/agents/join`, { method: 'POST', body });
    expect([400, 403]).toContain(status);
  });

  it.each(['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs', '/docs/static/swagger-ui.css'])(
    '%s is for anybody, and asks for no token even where one is wrong',
    async (path) => {
      expect((await sendRequest(controller.url + path)).status).toBe(200);
      expect((await sendRequest(controller.url + path, { headers: { authorization: 'Bearer x' } })).status).toBe(200);
    },
  );

  it('that are none are not told from those that are', async () => {
    for (const path of ['/nowhere', '/v1/tokens', '/docs/../deploy']) {
      const { status, body } = await sendRequest(controller.url + path, { method: 'POST', from: '127.0.0.2' });
      expect([path, status, body]).toEqual([path, 401, { status_code: 401, data: missing[1] }]);
    }
    const { status } = await sendRequest(`${controller.url}/nowhere`, { headers: bearer('read') });
    expect(status).toBe(404);
  });
});

/** Nobody gets in like this; each calls from an address of its own, so that none of them is limited for another. */
const refusals: Record<string, { more: () => Request & { query?: string }; answer: unknown[] }> = {
  'without credentials': { more: () => ({ from: '127.0.0.3' }), answer: missing },
  'with a token that never was': {
    more: () => ({ from: '127.0.0.4', headers: { authorization: `Bearer sampan_${'a'.repeat(32)}` } }),
    answer: invalid,
  },
  'with what is no token': {
    more: () => ({ from: '127.0.0.5', headers: { app_token: "' or 1=1 --" } }),
    answer: invalid,
  },
  'with an empty token': {
    more: () => ({ from: '127.0.0.6', headers: { app_token: '', authorization: 'Bearer ' } }),
    answer: invalid,
  },
  'with a token that was revoked': {
    more: () => ({ from: '127.0.0.7', headers: bearer('revoked') }),
    answer: invalid,
  },
  'with a token that has expired': {
    more: () => ({ from: '127.0.0.8', headers: bearer('expired') }),
    answer: [401, 'token 已过期: 有效期到 2026-01-02T03:04:05.000Z', `${challenge}, error="invalid_token"`],
  },
  'with two tokens that differ': {
    more: () => ({ from: '127.0.0.9', headers: { ...bearer('admin'), app_token: tokens.read! } }),
    answer: [
      400,
      '参数错误: 请求头 Authorization 和 APP_TOKEN 收到 两个不同的 token, 应为 同一个 token, 或只传一个',
      undefined,
    ],
  },
  'with a good token in the address': {
    more: () => ({
      from: '127.0.0.10',
      query: new URLSearchParams({
        token: tokens.admin!,
        access_token: tokens.admin!,
        APP_TOKEN: tokens.admin!,
      }).toString(),
    }),
    answer: missing,
  },
  'with a good token in a cookie or as a password': {
    more: () => ({
      from: '127.0.0.11',
      headers: {
        cookie: `APP_TOKEN=${tokens.admin}; token=${tokens.admin}`,
        authorization: `Basic ${Buffer.from(`admin:${tokens.admin}`).toString('base64')}`,
      },
    }),
    answer: missing,
  },
  'with a forged X-Forwarded-For': {
    more: () => ({
      from: '127.0.0.12',
      headers: { 'x-forwarded-for': LISTED, forwarded: `for=${LISTED}`, 'x-real-ip': LISTED },
    }),
    answer: missing,
  },
  'through a proxy that was told a forged X-Forwarded-For': {
    more: () => ({ from: PROXY, headers: { 'x-forwarded-for': `${LISTED}, 10.9.8.7` } }),
    answer: missing,
  },
  'through a proxy that names nobody we know': {
    more: () => ({ from: PROXY, headers: { 'x-forwarded-for': `${LISTED}, unknown, ${PROXY}` } }),
    answer: missing,
  },
  'from a listed address with a bad token': {
    more: () => ({ from: LISTED, headers: bearer('revoked') }),
    answer: invalid,
  },
  'with a token of another project': {
    more: () => ({ from: '127.0.0.13', headers: bearer('of-wiki') }),
    answer: [403, 'token 权限不足: 只能用于项目 wiki, 请求的是 shop', undefined],
  },
};

describe.each(Object.keys(guarded))('%s', (route) => {
  const { scope } = guarded[route]!;

  it.each(Object.keys(refusals))('refuses whoever comes %s', async (name) => {
    const { more, answer } = refusals[name]!;
    expect(await told(route, more())).toEqual(answer);
    expect(agent.calls).toEqual([]);
  });

  it('refuses a token of every other scope', async () => {
    for (const other of SCOPES.filter((one) => one !== scope)) {
      const data = `token 权限不足: 需要 ${scope}, 只有 ${other}`;
      expect(await told(route, { headers: bearer(other) })).toEqual([403, data, undefined]);
    }
    const granted = SCOPES.filter((one) => one !== scope).join(', ');
    const data = `token 权限不足: 需要 ${scope}, 只有 ${granted}`;
    expect(await told(route, { headers: bearer(`without ${scope}`) })).toEqual([403, data, undefined]);
    expect(agent.calls).toEqual([]);
  });

  it('lets in its scope, admin, a token of its project, and a listed address, each by whichever header', async () => {
    const ways: Request[] = [
      { headers: bearer(scope) },
      { headers: { app_token: tokens[scope]! } },
      { headers: { authorization: `bearer  ${tokens[scope]}`, app_token: tokens[scope]! } },
      { headers: bearer('admin') },
      { headers: bearer('of-shop') },
      { from: LISTED },
      { from: PROXY, headers: { 'x-forwarded-for': `6.6.6.6, ${LISTED}` } },
    ];
    for (const way of ways) {
      const before = agent.calls.length;
      const [status] = await told(route, way);
      expect([way, status]).toEqual([way, 200]);
      expect(agent.calls.length).toBeGreaterThan(before);
    }
  });
});

describe.each(Object.keys(guardedV1))('%s', (route) => {
  const { scope, project, request } = guardedV1[route]!;
  let id = '';

  // Of hosts that are none of ours: what is asked of it changes nothing.
  beforeEach(async () => {
    const body = { operation: 'deploy', ...of, ...artifact, hosts: ['127.0.0.1:1'] };
    // What the test before has begun may still hold the link.
    const begin = async () => {
      const begun = await sendRequest(`${controller.url}/v1/rollouts`, {
        method: 'POST',
        headers: bearer('admin'),
        body,
      });
      id = (begun.body as { id?: string }).id ?? '';
      return id;
    };
    await expect.poll(begin).not.toBe('');
    const isOver = async () =>
      (
        (await sendRequest(`${controller.url}/v1/rollouts/${id}`, { headers: bearer('admin') })).body as {
          state: string;
        }
      ).state;
    await expect.poll(isOver).toBe('failed');
  });

  /** Status and code of the answer, which is a problem document wherever it is a failure. */
  async function asked(more: Request) {
    const { path, ...rest } = request(agent.host);
    const { status, body, headers } = await sendRequest(controller.url + path.replace(':id', id), { ...rest, ...more });
    if (status >= 400) expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    return [status, (body as { code?: string }).code];
  }

  it('refuses whoever has no good token, a listed address too', async () => {
    expect(await asked({ from: '127.0.0.3' })).toEqual([401, 'TOKEN_MISSING']);
    expect(await asked({ from: LISTED })).toEqual([401, 'TOKEN_MISSING']);
    const never = { authorization: `Bearer sampan_${'a'.repeat(32)}` };
    expect(await asked({ from: '127.0.0.31', headers: never })).toEqual([401, 'TOKEN_INVALID']);
    expect(await asked({ from: '127.0.0.32', headers: bearer('revoked') })).toEqual([401, 'TOKEN_INVALID']);
    expect(await asked({ from: '127.0.0.33', headers: bearer('expired') })).toEqual([401, 'TOKEN_EXPIRED']);
    expect(agent.calls).toEqual([]);
  });

  it('refuses a token of every other scope, and of another project', async () => {
    for (const other of [...SCOPES.filter((one) => one !== scope), `without ${scope}`]) {
      expect([other, await asked({ headers: bearer(other) })]).toEqual([other, [403, 'SCOPE_MISSING']]);
    }
    const ofWiki = await asked({ headers: bearer('of-wiki') });
    if (route !== 'GET /v1/rollouts') expect(ofWiki).toEqual([403, 'PROJECT_FORBIDDEN']);
    else
      expect((await sendRequest(`${controller.url}/v1/rollouts`, { headers: bearer('of-wiki') })).body).toMatchObject({
        rollouts: [],
      });
    expect(agent.calls).toEqual([]);
  });

  it('lets in its scope, admin, and a token of its project', async () => {
    // What is asked of a rollout that has ended, or without an upgrade, is refused for that, behind the door.
    const inside = /cancel|pause|resume|retry/.test(route) ? 409 : route === 'GET /v1/logs/follow' ? 400 : undefined;
    for (const name of [scope, 'admin', ...(project === 'none' ? [] : ['of-shop'])]) {
      const [status] = await asked({ headers: bearer(name) });
      expect([name, status]).toEqual([name, expect.toBeOneOf([inside ?? 200, 202, 409])]);
    }
  });
});

describe('a WebSocket', () => {
  const path = '/v1/rollouts/none/events';

  /** The status with which the upgrade is answered. */
  function upgrade(headers: Record<string, string>): Promise<number> {
    return new Promise((resolve) => {
      const socket = new WebSocket(controller.url.replace('http', 'ws') + path, { headers });
      socket.on('error', () => undefined);
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
      socket.on('open', () => resolve(101));
    });
  }

  it('comes through the same door: a token, its scope, and no page of another site', async () => {
    expect(await upgrade({})).toBe(401);
    expect(await upgrade(bearer('deploy'))).toBe(403);
    expect(await upgrade({ ...bearer('read'), origin: 'http://evil.example' })).toBe(403);
    expect(await upgrade(bearer('read'))).toBe(404);
  });
});

describe('whoever keeps trying', () => {
  it('is told nothing more after 20 failures in a minute; a good token from the same address is let in', async () => {
    const from = '127.0.0.20';
    const guess = () => told('POST /deploy', { from, headers: { app_token: `sampan_${'b'.repeat(32)}` } });
    for (let count = 0; count < 20; count += 1) expect(await guess()).toEqual(invalid);
    const { status, headers, body } = await sendRequest(`${controller.url}/deploy`, {
      method: 'POST',
      from,
      headers: { app_token: `sampan_${'b'.repeat(32)}` },
    });
    const seconds = Number(headers['retry-after']);
    expect([status, body]).toEqual([429, { status_code: 429, data: `认证失败次数过多: 请在 ${seconds} 秒后重试` }]);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect((await told('GET /get_current_version', { from, headers: bearer('read') }))[0]).toBe(200);
    expect(await told('POST /deploy', { from: '127.0.0.21', headers: bearer('revoked') })).toEqual(invalid);
  });
});
