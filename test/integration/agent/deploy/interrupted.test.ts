import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestAgentClient } from '../../../helpers/agent-client.ts';
import { tarball } from '../../../helpers/archives.ts';
import { type Origin, startOrigin } from '../../../helpers/origin.ts';
import { agentConfig, type StartedAgent, startAgent } from '../../../helpers/start-agent.ts';
import { keptTempDir } from '../../../helpers/temp-dir.ts';

// Each was found by a review of the crash story.

const target = { projectName: 'shop', linkName: 'web', language: 'php' } as const;

let root: string;
let origin: Origin;
let agent: StartedAgent;
let client: TestAgentClient;

beforeEach(async () => {
  root = keptTempDir();
  origin = await startOrigin();
  writeFileSync(join(root, 'reload.sh'), '');
});

afterEach(async () => {
  client.close();
  await agent.stop();
  await origin.close();
  rmSync(root, { recursive: true, force: true });
});

const ran = () => (existsSync(join(root, 'ran')) ? readFileSync(join(root, 'ran'), 'utf8').trim().split('\n') : []);
const reloadDoes = (text: string) => writeFileSync(join(root, 'reload.sh'), text);
const link = () => readlinkSync(join(root, 'service/web'));
const journal = (id: string) => join(root, 'state/operations', `${id}.jsonl`);
const events = (id: string) =>
  readFileSync(journal(id), 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { event: string }).event);

async function start(): Promise<void> {
  const { languages } = agentConfig(root);
  const reload = ['/bin/sh', '-c', `echo reload $(readlink ${root}/service/web) >> ${root}/ran; . ${root}/reload.sh`];
  agent = await startAgent(root, { languages: { ...languages, php: { ...languages.php, reload } } });
  client = new TestAgentClient(agent.host);
}

async function die(): Promise<void> {
  client.close();
  await agent.stop('SIGKILL');
}

function stage(version: string, operationId = version) {
  const fileUrl = origin.serve(`/${version}.tar.gz`, tarball({ 'version.txt': version }));
  return client.stage({ operationId, target, fileUrl, filename: `${version}.tar.gz` });
}

const activate = (version: string, operationId = version) =>
  client.activate({ operationId, target, release: version, autoRollback: true });

/** Leaves an activation that wrote down that it flips, and did not. */
async function dieBeforeTheRename(version: string): Promise<void> {
  await stage(version);
  reloadDoes('sleep 60');
  const lost = activate(version).catch((error: unknown) => error);
  await expect.poll(ran).toContain(`reload .deploy/${version}`);
  await die();
  await lost;
  reloadDoes('');
  rmSync(join(root, 'service/web'));
  symlinkSync('.deploy/web-1', join(root, 'service/web'));
}

it('does not go on, at a later start, with an activation whose link somebody else has moved since', async () => {
  await start();
  await stage('web-1');
  await activate('web-1');
  await dieBeforeTheRename('web-2');
  await start();
  // The same release again, by another operation: the link has the text that the old operation was to give it.
  const release = (
    await client.stage({
      operationId: 'again',
      target,
      fileUrl: `${origin.url}/web-2.tar.gz`,
      filename: 'web-2.tar.gz',
    })
  ).result.release;
  await activate(release, 'again');
  await die();
  reloadDoes('exit 1');
  const before = ran().length;
  await start();
  expect(ran()).toHaveLength(before);
  expect(link()).toBe(`.deploy/${release}`);
  await expect(activate('web-2')).rejects.toMatchObject({ code: 'OPERATION_INTERRUPTED' });
  expect(events('web-2').at(-1)).toBe('finished');
});

it('does not die for ever of what it does after the flip', async () => {
  await start();
  await stage('web-1');
  reloadDoes('kill -9 $PPID');
  await activate('web-1').catch((error: unknown) => error);
  client.close();
  // Two more attempts end as the first did.
  for (let life = 0; life < 2; life += 1) {
    await start().catch((error: unknown) => error);
    await expect.poll(() => ran().length).toBe(life + 2);
    await agent.stop('SIGKILL');
  }
  await start();
  await expect(activate('web-1')).rejects.toMatchObject({
    code: 'STATE_UNKNOWN',
    params: { known: 'interrupted 3 times', current: 'web-1' },
  });
  expect(ran()).toHaveLength(3);
});

it('starts although a directory stands where an interrupted activation had its link', async () => {
  await start();
  await stage('web-1');
  reloadDoes('sleep 60');
  const lost = activate('web-1').catch((error: unknown) => error);
  await expect.poll(ran).toContain('reload .deploy/web-1');
  await die();
  await lost;
  rmSync(join(root, 'service/web'));
  mkdirSync(join(root, 'service/web'));
  await start();
  await expect(activate('web-1')).rejects.toMatchObject({
    code: 'STATE_UNKNOWN',
    params: { known: 'interrupted, LINK_NOT_A_SYMLINK' },
  });
});

it('keeps the manifests of a base that was copied, though their inodes are others', async () => {
  await start();
  await stage('web-1');
  await activate('web-1');
  await die();
  const manifest = join(root, 'service/.deploy/.meta/web-1.json');
  const content = JSON.parse(readFileSync(manifest, 'utf8')) as { inode: number };
  writeFileSync(manifest, JSON.stringify({ ...content, inode: content.inode + 1 }));
  await start();
  expect(existsSync(manifest)).toBe(true);
});

it('deletes the copy of a deploy that failed, so that a caller who tries again and again does not fill the disk', async () => {
  await start();
  await stage('web-1');
  await activate('web-1');
  reloadDoes('test -e $0.never');
  for (const attempt of ['a', 'b', 'c']) {
    const staged = await stage('web-2', attempt);
    await expect(activate(staged.result.release, attempt)).rejects.toMatchObject({ code: 'RELOAD_FAILED' });
    const standing = () => readdirSync(join(root, 'service/.deploy')).filter((name) => !name.startsWith('.'));
    await expect.poll(standing).toEqual(['web-1']);
  }
});

it('does not touch a running agent when it is started a second time with the same configuration', async () => {
  await start();
  const asked = origin.hang('/slow.tar.gz');
  const running = client
    .stage({ operationId: 'slow', target, fileUrl: `${origin.url}/slow.tar.gz`, filename: 'slow.tar.gz' })
    .catch((error: { code: string }) => error.code);
  await asked;
  await expect(startAgent(root)).rejects.toThrow(`another agent works on ${join(root, 'state')} (pid ${agent.pid})`);
  expect(events('slow')).not.toContain('interrupted');
  await client.call('CancelOperation', { operationId: 'slow' });
  expect(await running).toBe('OPERATION_CANCELLED');
});

it('frees the link of a cancelled operation only once, though its Activate comes at the same moment', async () => {
  await start();
  await stage('web-1');
  const [cancelled, activated] = await Promise.all([
    client.call<unknown, { outcome: string }>('CancelOperation', { operationId: 'web-1' }),
    activate('web-1').then(
      () => 'activated',
      (error: { code: string }) => error.code,
    ),
  ]);
  expect([cancelled.outcome, activated]).toEqual(['cancelled', 'OPERATION_CANCELLED']);
  expect(existsSync(join(root, 'service/web'))).toBe(false);
});
