import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFakeAgent } from '../../helpers/fake-agent.ts';
import { type Answer, type Request, sendRequest } from '../../helpers/send-request.ts';
import { type StartedController, startController } from '../../helpers/start-controller.ts';
import { testController } from '../../helpers/test-controller.ts';

const deploy = {
  project_name: 'shop',
  link_name: 'web',
  server_list: ['127.0.0.1:1'],
  file_url: 'http://origin/web-1.tar.gz',
  filename: 'web-1.tar.gz',
  language: 'php',
};
const refused = { status_code: 501, data: { '127.0.0.1:1': 'Agent连接失败: ECONNREFUSED 127.0.0.1:1' } };

let controller: StartedController;
beforeAll(async () => {
  controller = await startController({ public_hosts: ['deploy.example.com'] });
});
afterAll(async () => {
  await controller.stop();
});

function ask(path: string, request?: Request): Promise<Answer> {
  return sendRequest(controller.url + path, request);
}

/** Status and body, as a caller sees them. */
async function told(path: string, request?: Request) {
  const { status, body } = await ask(path, request);
  return { status, body };
}

function refusal(status: number, data: string) {
  return { status, body: { status_code: status, data } };
}

/** What both take beyond their document. */
const ROLLOUT_OPTIONS = [
  'batch',
  'canary',
  'canary_pause',
  'max_failures',
  'atomic',
  'health_check',
  'bake_seconds',
  'queue',
];

describe('what is refused', () => {
  it('an unknown path', async () => {
    expect(await told('/nowhere?x=1')).toEqual(refusal(404, '接口不存在: GET /nowhere'));
    expect(await told('/', { method: 'POST', body: 'x' })).toEqual(refusal(404, '接口不存在: POST /'));
  });

  it('a wrong method, with the right one', async () => {
    expect(await told('/deploy')).toEqual(refusal(405, '请求方式错误: /deploy 收到 GET, 应为 POST'));
    const { status, headers, body } = await ask('/get_latest_log?x', { method: 'POST', body: {} });
    expect({ status, body }).toEqual(refusal(405, '请求方式错误: /get_latest_log 收到 POST, 应为 GET'));
    expect(headers.allow).toBe('GET');
    expect(await told('/rollback', { method: 'DELETE' })).toEqual(
      refusal(405, '请求方式错误: /rollback 收到 DELETE, 应为 POST'),
    );
  });

  it('a path that is none', async () => {
    expect(await told('/%zz')).toEqual(refusal(400, '参数错误: 地址 收到 无法解析的路径, 应为 正确编码的路径'));
  });

  it('a body over 1 MiB', async () => {
    const body = JSON.stringify({ ...deploy, extra: 'x'.repeat(1024 * 1024) });
    expect(await told('/deploy', { method: 'POST', body })).toEqual(refusal(413, '请求体过大: 最大 1 MiB'));
    expect(await told('/get_latest_log', { body })).toEqual(refusal(413, '请求体过大: 最大 1 MiB'));
  });

  it('what is no HTTP', async () => {
    const socket = connect(Number(new URL(controller.url).port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    socket.write('HELLO\r\n\r\n');
    await once(socket, 'close');
    expect(text.split('\r\n')[0]).toBe('HTTP/1.1 400 Bad Request');
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))).toEqual({
      status_code: 400,
      data: '参数错误: 请求 收到 无法解析的内容 (HPE_INVALID_METHOD), 应为 30 秒内发完的 HTTP 请求, 请求头不超过 524288 字节',
    });
  });

  it('a form that is none of ours', async () => {
    const body = 'project_name=shop&language=php';
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(await told('/deploy', { method: 'POST', body, headers })).toEqual(
      refusal(400, "参数错误: 请求体 收到 不是 JSON 的内容 (Unexpected token 'p'), 应为 JSON 对象"),
    );
  });
});

describe('what a body may be called', () => {
  it.each([
    undefined,
    'application/json',
    'application/json; charset=utf-8',
    'application/x-www-form-urlencoded',
    'text/plain',
    'multipart/form-data; boundary=x',
    'nonsense',
    '',
  ])('%s', async (type) => {
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
    expect(await told('/deploy', { method: 'POST', body: deploy, headers })).toEqual({ status: 200, body: refused });
  });
});

describe('a browser that was tricked', () => {
  const post = (headers: Record<string, string>) => told('/deploy', { method: 'POST', body: deploy, headers });

  it.each(['http://evil.example', 'null', 'http://127.0.0.1:1', 'https://evil.example:8080'])(
    'may not post from %s',
    async (origin) => {
      const { host } = new URL(controller.url);
      expect(await post({ origin })).toEqual(refusal(403, `拒绝访问: Origin 收到 ${origin}, 应为 ${host} 的页面`));
    },
  );

  it('may post from a page of ours', async () => {
    expect(await post({ origin: controller.url })).toEqual({ status: 200, body: refused });
  });

  it.each(['evil.example', 'evil.example:8080', '127.0.0.1.evil.example', 'localhost.evil.example'])(
    'may neither post nor read by the name %s that was pointed at us',
    async (host) => {
      const expected = refusal(
        403,
        `拒绝访问: Host 收到 ${host}, 应为 IP 地址、localhost 或配置 public_hosts 中的名称`,
      );
      expect(await post({ host, origin: `http://${host}` })).toEqual(expected);
      expect(await told('/metrics', { headers: { host } })).toEqual(expected);
    },
  );

  it.each(['localhost', 'localhost:8080', '10.0.0.1', '[::1]:8080', 'deploy.example.com', 'Deploy.Example.com:80'])(
    'reads by our name %s',
    async (host) => {
      expect(await told('/healthz', { headers: { host } })).toEqual({ status: 200, body: { status: 'ok' } });
    },
  );
});

describe('who may call', () => {
  it('is said by the address of the connection, not by what a client forwards', async () => {
    const guarded = await testController({ auth: { allow_ips: ['10.0.0.0/8'] } });
    const headers = { 'x-forwarded-for': '10.0.0.1', forwarded: 'for=10.0.0.1', 'x-real-ip': '10.0.0.1' };
    for (const [path, request] of [
      ['/deploy', { method: 'POST', body: deploy }],
      ['/rollback', { method: 'POST', body: {} }],
      ['/init_deploy', { method: 'POST', body: {} }],
      ['/get_current_version', {}],
      ['/get_latest_log', {}],
    ] as const) {
      const { status, body } = await sendRequest(guarded.url + path, { ...request, headers });
      expect({ status, body }).toEqual(refusal(403, '拒绝访问: 客户端地址 127.0.0.1 不在配置 auth.allow_ips 之内'));
    }
    for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs']) {
      expect([path, (await sendRequest(guarded.url + path)).status]).toEqual([path, 200]);
    }
  });

  it('is everybody on a list', async () => {
    const open = await testController({ auth: { allow_ips: ['127.0.0.0/8'] } });
    const { body } = await sendRequest(`${open.url}/deploy`, { method: 'POST', body: deploy });
    expect(body).toEqual(refused);
  });
});

describe('health and metrics', () => {
  it('say that it lives and takes requests', async () => {
    expect(await told('/healthz')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await told('/readyz')).toEqual({ status: 200, body: { status: 'ready' } });
    expect((await ask('/readyz', { method: 'HEAD' })).status).toBe(200);
  });

  it('count requests, hosts by outcome, and agents by reachability', async () => {
    const agent = await startFakeAgent();
    const fresh = await testController();
    const body = { ...deploy, server_list: ['127.0.0.1:1', agent.host] };
    await sendRequest(`${fresh.url}/deploy`, { method: 'POST', body });
    const { text, headers } = await sendRequest(`${fresh.url}/metrics`);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const lines = text.split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'sampan_http_request_seconds_count{route="/deploy",status_code="200"} 1',
        'sampan_host_outcomes_total{operation="deploy",code="AGENT_UNREACHABLE"} 1',
        'sampan_host_outcomes_total{operation="deploy",code="OK"} 1',
        'sampan_rollout_seconds_count{operation="deploy",state="failed"} 1',
        'sampan_agents{state="connected"} 1',
        'sampan_agents{state="unreachable"} 1',
        'sampan_rollouts{state="queued"} 0',
      ]),
    );
  });
});

describe('the OpenAPI document', () => {
  interface Document {
    openapi: string;
    paths: Record<string, Record<string, Operation>>;
  }
  interface Operation {
    summary: string;
    parameters?: object[];
    requestBody?: { content: Record<string, { schema: { properties: Record<string, object>; required: string[] } }> };
    responses: Record<string, { content: Record<string, { example?: unknown; examples?: Record<string, unknown> }> }>;
  }

  async function documented(path: string, method: string): Promise<Operation> {
    const { body } = await ask('/openapi.json');
    const operation = (body as Document).paths[path]?.[method];
    if (!operation) throw new Error(`${method} ${path} is not documented`);
    return operation;
  }

  it.each([
    {
      path: '/deploy',
      done: '部署成功!',
      optional: ['filename_delete', 'is_restart', 'deploy_dir', 'sha256', 'auto_rollback', ...ROLLOUT_OPTIONS],
    },
    {
      path: '/rollback',
      done: '回滚成功!',
      optional: ['is_restart', 'deploy_dir', 'auto_rollback', ...ROLLOUT_OPTIONS],
    },
    { path: '/init_deploy', done: '初始化成功!', optional: ['os_system'] },
  ])('describes $path', async ({ path, done, optional }) => {
    const { requestBody, responses } = await documented(path, 'post');
    const { properties, required } = requestBody!.content['application/json']!.schema;
    expect(Object.keys(properties).filter((name) => !required.includes(name))).toEqual(optional);
    for (const [name, field] of Object.entries(properties)) {
      expect([name, Object.keys(field)]).toEqual([name, expect.arrayContaining(['type', 'description', 'examples'])]);
    }
    expect(Object.keys(responses)).toEqual(['200', '400', '401', '403', '413', '429', '500', '503']);
    expect(responses['200']?.content['application/json']?.examples?.example1).toEqual({
      value: { status_code: 200, data: done },
    });
  });

  it.each([
    ['/get_current_version', ['project_name', 'link_name', 'server_list', 'language', 'deploy_dir']],
    ['/get_latest_log', ['project_name', 'server_list', 'logname', 'language', 'line', 'deploy_dir']],
  ])('describes %s', async (path, names) => {
    const { parameters, responses } = await documented(path, 'get');
    expect(parameters).toEqual(
      names.map((name) =>
        expect.objectContaining({
          name,
          in: 'query',
          required: name !== 'deploy_dir',
          description: expect.any(String),
          example: expect.anything(),
        }),
      ),
    );
    expect(responses['200']?.content['application/json']?.example).toMatchObject({ status_code: 200 });
  });

  it('says which calls take a token, and how', async () => {
    const { body } = await ask('/openapi.json');
    const { components, paths } = body as Document & { components: { securitySchemes: object } };
    expect(components.securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      appToken: { type: 'apiKey', in: 'header', name: 'APP_TOKEN' },
    });
    const secured = Object.entries(paths).flatMap(([path, methods]) =>
      Object.values(methods).flatMap((operation) => ('security' in operation ? [[path, operation.security]] : [])),
    );
    const either = [{ bearer: [] }, { appToken: [] }];
    expect(secured.filter(([path]) => !String(path).startsWith('/v1/')).sort()).toEqual(
      ['/deploy', '/get_current_version', '/get_latest_log', '/init_deploy', '/rollback'].map((path) => [path, either]),
    );
  });

  it('is shown to people', async () => {
    const { status, text } = await ask('/docs');
    expect(status).toBe(200);
    expect(text).toContain('swagger-ui');
  });
});
