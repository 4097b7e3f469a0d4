import { describe, expect, it } from 'vitest';
import { type Request, sendRequest } from '../../helpers/send-request.ts';
import type { StartedController } from '../../helpers/start-controller.ts';
import { testController } from '../../helpers/test-controller.ts';

const question = '/get_current_version?project_name=shop&link_name=web&language=php&server_list=127.0.0.1:1';

async function told(controller: StartedController, path: string, request: Request = {}) {
  const url = controller.url.replace('0.0.0.0', '127.0.0.1');
  const { status, body } = await sendRequest(url + path, request);
  return [status, (body as { data?: unknown }).data];
}

const warnings = ({ log }: StartedController) => log.filter(({ level }) => level === 40).map(({ msg }) => msg);
const missing = [401, '缺少 token: 请放在请求头 Authorization: Bearer 或 APP_TOKEN 中'];

describe('a controller that other machines reach', () => {
  it('requires tokens unless it is told otherwise, and says that they travel in clear', async () => {
    const controller = await testController({ listen: '0.0.0.0:0' });
    expect(warnings(controller)).toEqual([
      'tokens are required, and there is none: make one with sampan-controller token create',
      'without tls, tokens and all that they open travel in clear',
    ]);
    expect(await told(controller, question)).toEqual(missing);
  });

  it('opens the five endpoints and nothing else to a list, without tokens, and warns of it', async () => {
    const auth = { tokens: 'off', allow_ips: ['127.0.0.50'] };
    const controller = await testController({ listen: '0.0.0.0:0', auth });
    expect(warnings(controller)).toEqual([
      'auth.tokens is off: these clients may deploy, and nobody asks who they are',
    ]);
    expect((await told(controller, question, { from: '127.0.0.50' }))[0]).toBe(200);
    // Clients of the old service send tokens of their own, which mean nothing here.
    const headers = { app_token: 'of the old service' };
    expect((await told(controller, question, { from: '127.0.0.50', headers }))[0]).toBe(200);
    const refused = [403, '拒绝访问: 客户端地址 127.0.0.1 不在配置 auth.allow_ips 之内'];
    expect(await told(controller, question)).toEqual(refused);
    expect(await told(controller, question, { headers: { 'x-forwarded-for': '127.0.0.50' } })).toEqual(refused);
    expect((await told(controller, '/healthz'))[0]).toBe(200);
  });
});

describe('on loopback', () => {
  it('nobody is asked for a token, and one that is brought is not looked at', async () => {
    const controller = await testController();
    expect(warnings(controller)).toEqual([]);
    expect((await told(controller, question))[0]).toBe(200);
    expect((await told(controller, question, { headers: { app_token: 'x', authorization: 'Bearer y' } }))[0]).toBe(200);
  });

  it('a proxy that is not named is warned of, once', async () => {
    const controller = await testController();
    for (let count = 0; count < 3; count += 1) {
      expect((await told(controller, question, { headers: { 'x-forwarded-for': '192.0.2.1' } }))[0]).toBe(200);
    }
    const warned = 'a proxy brings others here, and nobody asks who they are: name it in auth.trusted_proxies';
    await controller.logged(({ msg }) => msg === warned);
    expect(warnings(controller).filter((msg) => msg === warned)).toEqual([warned]);
  });

  it('behind a proxy, tokens are required: it brings others here', async () => {
    const controller = await testController({ auth: { trusted_proxies: ['127.0.0.1'], allow_ips: ['10.0.0.0/8'] } });
    expect(await told(controller, question)).toEqual(missing);
    expect(await told(controller, question, { headers: { 'x-forwarded-for': '192.0.2.1' } })).toEqual(missing);
    expect((await told(controller, question, { headers: { 'x-forwarded-for': '10.1.2.3' } }))[0]).toBe(200);
  });
});
