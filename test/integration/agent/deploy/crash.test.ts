import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTimeOf } from '@sampan/agent/host/kill-process.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestAgentClient } from '../../../helpers/agent-client.ts';
import { tarball } from '../../../helpers/archives.ts';
import { type Origin, startOrigin } from '../../../helpers/origin.ts';
import { agentConfig, type StartedAgent, startAgent } from '../../../helpers/start-agent.ts';
import { keptTempDir } from '../../../helpers/temp-dir.ts';

const target = { projectName: 'shop', linkName: 'web', language: 'php' } as const;

let root: string;
let origin: Origin;
let agent: StartedAgent;
let client: TestAgentClient;

beforeEach(async () => {
  root = keptTempDir();
  origin = await startOrigin();
});

afterEach(async () => {
  client.close();
  await agent.stop();
  await origin.close();
  rmSync(root, { recursive: true, force: true });
});

/** The hook and the reload do what the files beside them say, and note that they ran. */
const step = (name: string) => `echo ${name} $(readlink ${root}/service/web) >> ${root}/ran; . ${root}/${name}.sh`;
const script = (name: string, text: string) => writeFileSync(join(root, `${name}.sh`), text);
const ran = () => (existsSync(join(root, 'ran')) ? readFileSync(join(root, 'ran'), 'utf8').trim().split('\n') : []);

async function start(): Promise<void> {
  const { languages } = agentConfig(root);
  const php = {
    ...languages.php,
    reload: ['/bin/sh', '-c', step('reload')],
    hooks: { post_activate: { run: ['/bin/sh', '-c', step('hook')] } },
  };
  agent = await startAgent(root, { languages: { ...languages, php } });
  client = new TestAgentClient(agent.host);
}

async function die(): Promise<void> {
  client.close();
  await agent.stop('SIGKILL');
}

function stage(version: string) {
  const fileUrl = origin.serve(`/${version}.tar.gz`, tarball({ 'version.txt': version }));
  return client.stage({ operationId: version, target, fileUrl, filename: `${version}.tar.gz` });
}

function activate(version: string) {
  return client.activate({ operationId: version, target, release: version, autoRollback: true });
}

async function deploy(version: string) {
  await stage(version);
  return activate(version);
}

const link = () => readlinkSync(join(root, 'service/web'));
const staging = () => readdirSync(join(root, 'service/.deploy/.staging'));

it('goes on by itself, after a crash past the flip, and the caller that asks again joins it', async () => {
  script('reload', '');
  script('hook', '');
  await start();
  await deploy('web-1');
  script('hook', 'sleep 60');
  await stage('web-2');
  const lost = activate('web-2').catch((error: unknown) => error);
  await expect.poll(ran).toContain('hook .deploy/web-2');
  await die();
  await lost;
  script('hook', '');
  await start();
  const { result } = await activate('web-2');
  const before = { previousVersion: 'web-1', previousRelease: 'web-1' };
  expect(result).toEqual({ version: 'web-2', ...before, unchanged: false, programs: [] });
  expect(link()).toBe('.deploy/web-2');
  expect(ran().filter((line) => line === 'hook .deploy/web-2')).toHaveLength(2);
});

it('goes back after a crash past the flip when what follows fails then', async () => {
  script('reload', '');
  script('hook', '');
  await start();
  await deploy('web-1');
  script('hook', 'sleep 60');
  await stage('web-2');
  const lost = activate('web-2').catch((error: unknown) => error);
  await expect.poll(ran).toContain('hook .deploy/web-2');
  await die();
  await lost;
  script('hook', 'exit 7');
  await start();
  await expect(activate('web-2')).rejects.toMatchObject({
    code: 'HOOK_FAILED',
    aftermath: { current: 'web-1', reverted: true },
  });
  expect(link()).toBe('.deploy/web-1');
});

it('finishes going back after a crash on the way back, and tells why it did', async () => {
  script('reload', '');
  script('hook', '');
  await start();
  await deploy('web-1');
  script('hook', 'exit 9');
  // The reload after going back is where the agent dies.
  script('reload', 'case $(readlink $PWD/service/web) in *web-1) sleep 60;; esac'.replace('$PWD', root));
  await stage('web-2');
  const lost = activate('web-2').catch((error: unknown) => error);
  await expect.poll(() => ran().slice(-2)).toEqual(['hook .deploy/web-2', 'reload .deploy/web-1']);
  await die();
  await lost;
  script('reload', '');
  await start();
  await expect(activate('web-2')).rejects.toMatchObject({
    code: 'HOOK_FAILED',
    params: { hook: 'post_activate', ending: 'exit 9' },
    aftermath: { current: 'web-1', reverted: true },
  });
  expect(link()).toBe('.deploy/web-1');
  expect(ran().slice(-1)).toEqual(['reload .deploy/web-1']);
});

it('sweeps what a crash in the download left, its unpacker included, and stages again', async () => {
  script('reload', '');
  script('hook', '');
  await start();
  const asked = origin.hang('/web-1.tar.gz');
  const lost = client
    .stage({ operationId: 'web-1', target, fileUrl: `${origin.url}/web-1.tar.gz`, filename: 'web-1.tar.gz' })
    .catch((error: unknown) => error);
  await asked;
  const journal = join(root, 'state/operations/web-1.jsonl');
  await expect.poll(() => readFileSync(journal, 'utf8')).toContain('"staging"');
  const pid = Number(/"pid":(\d+)/.exec(readFileSync(journal, 'utf8'))?.[1]);
  // Stopped, it cannot notice that its parent is gone: the restarted agent has to end it.
  process.kill(pid, 'SIGSTOP');
  await die();
  await lost;
  expect(await startTimeOf(pid)).toBeDefined();
  expect(staging()).toHaveLength(1);
  await start();
  expect(await startTimeOf(pid)).toBeUndefined();
  expect(staging()).toEqual([]);
});

it('keeps a stage that was finished, and its outcome', async () => {
  script('reload', '');
  script('hook', '');
  await start();
  const first = await stage('web-1');
  await die();
  await start();
  expect((await stage('web-1')).result).toEqual(first.result);
  expect(origin.requests('/web-1.tar.gz')).toBe(1);
  expect((await activate('web-1')).result).toMatchObject({ version: 'web-1' });
});
