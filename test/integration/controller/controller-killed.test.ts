import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { tarball } from '../../helpers/archives.ts';
import { type Origin, startOrigin } from '../../helpers/origin.ts';
import { sendRequest } from '../../helpers/send-request.ts';
import { type AgentSettings, agentConfig, type StartedAgent, startAgent } from '../../helpers/start-agent.ts';
import { type StartedController, startController } from '../../helpers/start-controller.ts';
import { keptTempDir } from '../../helpers/temp-dir.ts';

/*
 * A controller that is killed -9 in the middle of a deploy, and started again on the same database, with a real agent. Its
 * hook, after the flip, waits while the file `wait` is there.
 */

const done = { status_code: 200, data: '部署成功!' };
let version = 0;
let root: string;
let origin: Origin;
let agent: StartedAgent;
let agentSettings: AgentSettings;
let controller: StartedController;

beforeAll(async () => {
  root = keptTempDir();
  const hook = join(root, 'hook.sh');
  const script = `#!/bin/sh\necho >> ${root}/hooks\nwhile [ -e ${root}/wait ]; do sleep 0.02; done\n`;
  writeFileSync(hook, script, { mode: 0o755 });
  const { languages } = agentConfig(root);
  const php = { ...languages.php, hooks: { post_activate: { run: [hook] } } };
  agentSettings = { languages: { ...languages, php } };
  [origin, agent] = await Promise.all([startOrigin(), startAgent(root, agentSettings)]);
});
afterAll(async () => {
  await Promise.all([agent.stop('SIGKILL'), origin.close()]);
  await rm(root, { recursive: true, force: true });
});
beforeEach(async () => {
  rmSync(join(root, 'wait'), { force: true });
  version += 1;
  controller = await startController({ database: `sqlite:${root}/${version}.db` });
});
afterEach(async () => {
  await controller.stop('SIGKILL');
});

async function startControllerAgain(): Promise<void> {
  controller = await startController({ database: `sqlite:${root}/${version}.db` });
}

const path = () => `/web-${version}.tar.gz`;
const current = () => readFileSync(join(agent.serviceDir, 'web/version.txt'), 'utf8');
const artifact = () => tarball({ 'version.txt': `web-${version}` });

/** The request that a caller would send, and send again. */
async function deploy() {
  const body = {
    project_name: 'shop',
    link_name: 'web',
    server_list: [agent.host],
    file_url: `${origin.url}${path()}?signature=s3cr3t`,
    filename: `web-${version}.tar.gz`,
    language: 'php',
  };
  const answer = await sendRequest(`${controller.url}/deploy`, { method: 'POST', body });
  return { id: answer.headers['sampan-operation-id'], told: answer.body };
}

/** How often the agent wrote down that it flips, for one operation. */
function flips(id: unknown): number {
  const [journal = ''] = globSync(join(root, `state/operations/${String(id)}*`));
  return readFileSync(journal, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"event":"flipping"')).length;
}

const hooksRun = () => (existsSync(join(root, 'hooks')) ? readFileSync(join(root, 'hooks')).length : 0);

/** Sends the deploy, lets the controller be killed once `moment` has come, and says what became of the caller. */
async function cutOff(moment: () => Promise<unknown>): Promise<unknown> {
  const answer = deploy().catch((error: NodeJS.ErrnoException) => error.code);
  await moment();
  await controller.stop('SIGKILL');
  return await answer;
}

it('killed while its agent downloads: the deploy goes on, and its caller gets it by asking again', async () => {
  const body = Promise.withResolvers<void>();
  origin.serve(path(), { body: artifact(), after: body.promise });
  expect(await cutOff(() => origin.requested(path(), 1))).toBe('ECONNRESET');
  await startControllerAgain();
  const again = deploy();
  await controller.logged(({ msg }) => msg === 'the same request again: joined');
  body.resolve();
  const { id, told } = await again;
  expect({ told, current: current(), downloads: origin.requests(path()), flips: flips(id) }).toEqual({
    told: done,
    current: `web-${version}`,
    downloads: 1,
    flips: 1,
  });
  // Told, it is over: the next is a new deploy, of content that is there.
  const next = await deploy();
  expect(next.told).toEqual(done);
  expect(next.id).not.toBe(id);
});

it('killed while a hook runs after the flip: the deploy ends unasked, and its caller is told how', async () => {
  const before = hooksRun();
  writeFileSync(join(root, 'wait'), '');
  origin.serve(path(), artifact());
  expect(await cutOff(() => expect.poll(hooksRun).toBe(before + 1))).toBe('ECONNRESET');
  await startControllerAgain();
  rmSync(join(root, 'wait'));
  const { operationId } = await controller.logged(({ msg }) => msg === 'rollout finished');
  const { id, told } = await deploy();
  expect({ id, told, downloads: origin.requests(path()), flips: flips(id), hooks: hooksRun() - before }).toEqual({
    id: operationId,
    told: done,
    downloads: 1,
    flips: 1,
    hooks: 1,
  });
  await deploy();
  expect(hooksRun() - before).toBe(2);
});

it('killed together with its agent: both come back, and the deploy ends as it should', async () => {
  const before = hooksRun();
  writeFileSync(join(root, 'wait'), '');
  origin.serve(path(), artifact());
  await cutOff(() => expect.poll(hooksRun).toBe(before + 1));
  await agent.stop('SIGKILL');
  await startControllerAgain();
  await controller.logged(({ msg }) => msg === 'cannot ask the agent yet');
  rmSync(join(root, 'wait'));
  agent = await startAgent(root, { ...agentSettings, port: Number(agent.host.split(':')[1]) });
  const { id, told } = await deploy();
  expect({ told, current: current(), downloads: origin.requests(path()), flips: flips(id) }).toEqual({
    told: done,
    current: `web-${version}`,
    downloads: 1,
    flips: 1,
  });
});

it('killed again and again, it takes up what is open each time', async () => {
  const body = Promise.withResolvers<void>();
  origin.serve(path(), { body: artifact(), after: body.promise });
  await cutOff(() => origin.requested(path(), 1));
  for (let life = 0; life < 2; life += 1) {
    await startControllerAgain();
    await controller.logged(({ msg }) => msg === 'rollout taken up again');
    await controller.stop('SIGKILL');
  }
  await startControllerAgain();
  body.resolve();
  const { id, told } = await deploy();
  expect({ told, current: current(), downloads: origin.requests(path()), flips: flips(id) }).toEqual({
    told: done,
    current: `web-${version}`,
    downloads: 1,
    flips: 1,
  });
});
