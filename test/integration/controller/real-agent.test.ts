import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { tarball } from '../../helpers/archives.ts';
import { startOrigin } from '../../helpers/origin.ts';
import { sendRequest } from '../../helpers/send-request.ts';
import { agentConfig, type StartedAgent, startAgent } from '../../helpers/start-agent.ts';
import { keptTempDir } from '../../helpers/temp-dir.ts';
import { testController } from '../../helpers/test-controller.ts';

const PATH = '/web-1.tar.gz';
const artifact = tarball({ 'version.txt': 'web-1' });
const done = { status_code: 200, data: '部署成功!' };

/** A real agent and controller, an origin that keeps silent on the artifact, and a deploy of it that has begun to download. */
async function midDownload(settings: Record<string, unknown> = {}) {
  const root = keptTempDir();
  const origin = await startOrigin();
  const controller = await testController(settings);
  let agent = await startAgent(root);
  onTestFinished(async () => {
    await agent.stop('SIGKILL');
    await origin.close();
    rmSync(root, { recursive: true, force: true });
  });
  const body = {
    project_name: 'shop',
    link_name: 'web',
    server_list: [agent.host],
    file_url: origin.url + PATH,
    filename: 'web-1.tar.gz',
    language: 'php',
  };
  const asked = origin.hang(PATH);
  const deploy = (url: string) => sendRequest(`${url}/deploy`, { method: 'POST', body });
  const answer = deploy(controller.url);
  await asked;
  return {
    controller,
    origin,
    answer,
    deploy,
    host: agent.host,
    current: () => readFileSync(join(agent.serviceDir, 'web/version.txt'), 'utf8'),
    stopAgent: (signal: NodeJS.Signals) => agent.stop(signal),
    async startAgentAgain(): Promise<StartedAgent> {
      agent = await startAgent(root, { port: Number(agent.host.split(':')[1]) });
      return agent;
    },
  };
}

it('a deploy goes on with an agent that was killed in the middle of it and started again', async () => {
  const { answer, origin, current, stopAgent, startAgentAgain } = await midDownload();
  await stopAgent('SIGKILL');
  origin.serve(PATH, artifact);
  await startAgentAgain();
  expect((await answer).body).toEqual(done);
  expect(current()).toBe('web-1');
});

it('a deploy goes on with an agent that was told to stop in the middle of it and started again', async () => {
  const { answer, origin, current, stopAgent, startAgentAgain } = await midDownload();
  expect(await stopAgent('SIGTERM')).toEqual({ code: 0, signal: null });
  origin.serve(PATH, artifact);
  await startAgentAgain();
  expect((await answer).body).toEqual(done);
  expect(current()).toBe('web-1');
});

it('a controller that is told to stop cancels at the agent what has not flipped, and leaves the link free for the next', async () => {
  const { controller, answer, deploy, origin, host, current } = await midDownload({ shutdown_grace: '100ms' });
  const ended = controller.stop('SIGTERM');
  expect((await answer).body).toEqual({ status_code: 501, data: { [host]: '操作已取消, 软连接未切换' } });
  expect(await ended).toEqual({ code: 0, signal: null });
  origin.serve(PATH, artifact);
  const next = await testController();
  expect((await deploy(next.url)).body).toEqual(done);
  expect(current()).toBe('web-1');
});

it('a controller that was killed leaves its deploy to the agent: another who asks meanwhile is told who has the link', async () => {
  const { controller, answer, deploy, host } = await midDownload();
  const lost = answer.catch((error: NodeJS.ErrnoException) => error.code);
  await controller.stop('SIGKILL');
  expect(await lost).toBe('ECONNRESET');
  const next = await testController();
  const { body } = await deploy(next.url);
  expect(body).toEqual({
    status_code: 501,
    data: { [host]: expect.stringMatching(/^软连接被占用: 项目 shop 正在操作 web-1 \([0-9a-f-]{36}, 开始于 .+\)$/) },
  });
});

it('an agent that is killed after its flip goes on when it is back, and the caller is told how that ended', async () => {
  const root = keptTempDir();
  const hook = join(root, 'hook.sh');
  const started = join(root, 'hook-started');
  const { languages } = agentConfig(root);
  const hooks = { post_activate: { run: [hook] } };
  const settings = { languages: { ...languages, php: { ...languages.php, hooks } } };
  writeFileSync(hook, `#!/bin/sh\n[ -e ${started} ] || { touch ${started}; exec sleep 10; }\n`, { mode: 0o755 });
  const origin = await startOrigin();
  const controller = await testController();
  let agent = await startAgent(root, settings);
  onTestFinished(async () => {
    await agent.stop('SIGKILL');
    await origin.close();
    rmSync(root, { recursive: true, force: true });
  });
  const body = {
    project_name: 'shop',
    link_name: 'web',
    server_list: [agent.host],
    file_url: origin.serve(PATH, artifact),
    filename: 'web-1.tar.gz',
    language: 'php',
  };
  const answer = sendRequest(`${controller.url}/deploy`, { method: 'POST', body });
  await expect.poll(() => existsSync(started), { timeout: 10_000 }).toBe(true);
  await agent.stop('SIGKILL');
  agent = await startAgent(root, { ...settings, port: Number(agent.host.split(':')[1]) });
  expect((await answer).body).toEqual(done);
  expect(readFileSync(join(agent.serviceDir, 'web/version.txt'), 'utf8')).toBe('web-1');
});
