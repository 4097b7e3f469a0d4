import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { DeployError } from '@sampan/shared/errors.ts';
import { VERSION } from '@sampan/shared/version.ts';
import { describe, expect, it } from 'vitest';
import { startFakeAgent } from '../../helpers/fake-agent.ts';
import { sendRequest } from '../../helpers/send-request.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { testController } from '../../helpers/test-controller.ts';

const PROGRAM = fileURLToPath(new URL('../../../packages/controller/bin/sampan-controller.mjs', import.meta.url));
const draining = { status_code: 503, data: '服务正在停止, 不接受新的请求' };

function deploy(...hosts: string[]) {
  return {
    method: 'POST',
    body: {
      project_name: 'shop',
      link_name: 'web',
      server_list: hosts,
      file_url: 'http://origin/web-1.tar.gz?signature=s3cr3t',
      filename: 'web-1.tar.gz',
      language: 'php',
    },
  };
}

async function run(...args: string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  const [code] = await once(child, 'exit');
  return { code, stdout: await stdout, stderr: await stderr };
}

/** Hangs until the test opens it. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}

/** Makes the program believe that an older Node runs it. */
const OLD_NODE = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { node: '20.1.0' } });
Object.defineProperty(process, 'version', { value: 'v20.1.0' });`;

describe('sampan-controller', () => {
  it('says in one line which Node it needs', async () => {
    const child = spawn(process.execPath, ['--import', OLD_NODE, PROGRAM], { stdio: ['ignore', 'ignore', 'pipe'] });
    const stderr = text(child.stderr);
    const [code] = await once(child, 'exit');
    expect({ code, stderr: await stderr }).toEqual({
      code: 1,
      stderr: 'sampan-controller needs Node 26 or newer, this is v20.1.0\n',
    });
  });

  it('tells its version and its options', async () => {
    expect(await run('--version')).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
    const help = await run('--help');
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('-c, --config <file>');
  });

  it('names every fault of its configuration and ends, before any port opens', async () => {
    const file = join(tempDir(), 'controller.yaml');
    writeFileSync(file, 'listen: 0.0.0.0:8080\nrollouts: { timeout: soon }\ncolour: red\n');
    expect(await run('--config', file)).toEqual({
      code: 1,
      stdout: '',
      stderr: `${file} cannot be used:\n  rollouts.timeout: expected a duration such as 30s, got "soon"\n  colour: unknown key\n`,
    });
  });

  it('refuses an option that it does not know', async () => {
    const { code, stderr } = await run('--port', '1');
    expect({ code, stderr }).toEqual({ code: 1, stderr: "error: unknown option '--port'\n" });
  });
});

describe('a deploy', () => {
  it('outlives the connection of its caller, and is joined by the same request', async () => {
    const finish = gate();
    const agent = await startFakeAgent({
      stage: async (_request, write) => {
        await finish.passed;
        write({ result: { release: 'web-1', version: 'web-1' } });
      },
    });
    const controller = await testController();
    const { url } = controller;
    const { method, body } = deploy(agent.host);
    const caller = request(`${url}/deploy`, { method }).on('error', () => undefined);
    caller.end(JSON.stringify(body));
    const { operationId } = await agent.called('Stage');
    caller.destroy();
    const again = sendRequest(`${url}/deploy`, {
      method,
      body: { ...body, server_list: [` ${agent.host} `], extra: 1 },
    });
    await controller.logged(({ msg }) => msg === 'the same request again: joined');
    finish.open();
    const answer = await again;
    expect(answer.text).toBe('{"status_code":200,"data":"部署成功!"}');
    expect(answer.headers['sampan-operation-id']).toBe(operationId);
    expect(agent.calls.map((call) => call.method)).toEqual(['Stage', 'Activate']);
  });

  it('is told in the log by its id from the request to the end, without the secrets of its URL', async () => {
    const agent = await startFakeAgent();
    const controller = await testController({ log_level: 'debug' });
    const { headers } = await sendRequest(`${controller.url}/deploy`, deploy(agent.host));
    const id = headers['sampan-operation-id'];
    await controller.logged(({ msg }) => msg === 'rollout finished');
    const lines = controller.log.filter(({ operationId }) => operationId === id).map(({ msg }) => msg);
    expect(lines).toEqual(['rollout started', 'host finished', 'rollout finished']);
    expect(JSON.stringify(controller.log)).not.toContain('s3cr3t');
  });
});

describe('SIGTERM', () => {
  it('takes nothing new, lets what runs finish, delivers its answer, and ends with 0', async () => {
    const finish = gate();
    const agent = await startFakeAgent({
      stage: async (_request, write) => {
        await finish.passed;
        write({ result: { release: 'web-1', version: 'web-1' } });
      },
    });
    const controller = await testController();
    const answer = sendRequest(`${controller.url}/deploy`, deploy(agent.host));
    await agent.called('Stage');
    const ended = controller.stop('SIGTERM');
    await controller.logged(({ msg }) => msg === 'stopping');
    expect((await sendRequest(`${controller.url}/healthz`)).status).toBe(200);
    expect(await sendRequest(`${controller.url}/readyz`)).toMatchObject({ status: 503, body: { status: 'draining' } });
    expect(await sendRequest(`${controller.url}/deploy`, deploy('127.0.0.1:1'))).toMatchObject({
      status: 503,
      body: draining,
    });
    expect(await sendRequest(`${controller.url}/get_current_version`)).toMatchObject({ status: 503, body: draining });
    finish.open();
    expect((await answer).body).toEqual({ status_code: 200, data: '部署成功!' });
    expect(await ended).toEqual({ code: 0, signal: null });
  });

  it('after the grace cancels what has not flipped, says so to its caller, and ends with 0', async () => {
    const cancelled = gate();
    const agent = await startFakeAgent({
      stage: async () => {
        await cancelled.passed;
        throw new DeployError('OPERATION_CANCELLED', {});
      },
      cancelOperation: () => {
        cancelled.open();
        return { outcome: 'cancelled' };
      },
    });
    const controller = await testController({ shutdown_grace: '100ms' });
    const answer = sendRequest(`${controller.url}/deploy`, deploy(agent.host));
    const { operationId } = await agent.called('Stage');
    const ended = controller.stop('SIGINT');
    expect((await answer).body).toEqual({ status_code: 501, data: { [agent.host]: '操作已取消, 软连接未切换' } });
    expect(await agent.called('CancelOperation')).toMatchObject({ operationId });
    expect(await ended).toEqual({ code: 0, signal: null });
  });

  it('ends an idle controller with connections that are kept open', async () => {
    const controller = await testController();
    const { Agent } = await import('node:http');
    const agent = new Agent({ keepAlive: true });
    await new Promise((resolve, reject) => {
      const sent = request(`${controller.url}/healthz`, { agent }, (response) => response.resume().on('end', resolve));
      sent.on('error', reject).end();
    });
    expect(await controller.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    agent.destroy();
  });

  it('sent twice ends it at once', async () => {
    const agent = await startFakeAgent({ stage: () => new Promise(() => undefined) });
    const controller = await testController();
    const answer = sendRequest(`${controller.url}/deploy`, deploy(agent.host)).catch(
      (error: NodeJS.ErrnoException) => error.code,
    );
    await agent.called('Stage');
    const ended = controller.stop('SIGTERM');
    await controller.logged(({ msg }) => msg === 'stopping');
    await controller.stop('SIGTERM');
    expect(await ended).toEqual({ code: 130, signal: null });
    expect(await answer).toBe('ECONNRESET');
  });
});
