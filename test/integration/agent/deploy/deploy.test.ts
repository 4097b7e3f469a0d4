import {
  chmodSync,
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
import { startTimeOf } from '@sampan/agent/host/kill-process.ts';
import type { GetOperationResponse__Output } from '@sampan/shared/gen/sampan/agent/v1/GetOperationResponse.ts';
import type { ListReleasesResponse__Output } from '@sampan/shared/gen/sampan/agent/v1/ListReleasesResponse.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestAgentClient } from '../../../helpers/agent-client.ts';
import { tarball } from '../../../helpers/archives.ts';
import { type Origin, startOrigin } from '../../../helpers/origin.ts';
import { type AgentSettings, agentConfig, type StartedAgent, startAgent } from '../../../helpers/start-agent.ts';
import { keptTempDir } from '../../../helpers/temp-dir.ts';

const target = { projectName: 'shop', linkName: 'web', language: 'php' } as const;

let root: string;
let origin: Origin;
let agent: StartedAgent;
let client: TestAgentClient;
let operations = 0;

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

async function start(settings: AgentSettings = {}): Promise<void> {
  agent = await startAgent(root, settings);
  client = new TestAgentClient(agent.host);
}

/** php settings on top of the test's own. */
function php(more: Record<string, unknown>): AgentSettings {
  const { languages } = agentConfig(root);
  return { languages: { ...languages, php: { ...languages.php, ...more } } };
}

function offer(version: string, files: Record<string, string> = { 'version.txt': version }): string {
  return origin.serve(`/${version}.tar.gz`, tarball(files));
}

function newId(): string {
  operations += 1;
  return `op-${operations}`;
}

function stage(version: string, more: Record<string, unknown> = {}) {
  const fileUrl = `${origin.url}/${version}.tar.gz`;
  return client.stage({ operationId: newId(), target, fileUrl, filename: `${version}.tar.gz`, ...more });
}

async function deploy(version: string, more: Record<string, unknown> = {}) {
  const operationId = newId();
  const { result } = await stage(version, { operationId });
  return client.activate({ operationId, target, release: result.release, autoRollback: true, ...more });
}

const link = () => readlinkSync(join(agent.serviceDir, 'web'));
const staging = () => readdirSync(join(agent.serviceDir, '.deploy/.staging'));
const releasesOnDisk = () =>
  readdirSync(join(agent.serviceDir, '.deploy'))
    .filter((name) => !name.startsWith('.'))
    .sort();

describe('a deploy', () => {
  it('stages a release that is whole before it is current, and makes it current by one relative link', async () => {
    await start();
    offer('web-1');
    const operationId = newId();
    const staged = await stage('web-1', { operationId });
    expect(staged.result).toMatchObject({ release: 'web-1', version: 'web-1', reused: false });
    expect(releasesOnDisk()).toEqual(['web-1']);
    expect(existsSync(join(agent.serviceDir, 'web'))).toBe(false);
    const { result } = await client.activate({ operationId, target, release: 'web-1', autoRollback: true });
    expect(result).toEqual({
      version: 'web-1',
      previousVersion: '',
      previousRelease: '',
      unchanged: false,
      programs: [],
    });
    expect(link()).toBe('.deploy/web-1');
    expect(readFileSync(join(agent.serviceDir, 'web/version.txt'), 'utf8')).toBe('web-1');
    expect(staging()).toEqual([]);
  });

  it('tells each step as it starts and finishes', async () => {
    await start();
    offer('web-1');
    const operationId = newId();
    const staged = await stage('web-1', { operationId });
    const activated = await client.activate({ operationId, target, release: 'web-1', autoRollback: true });
    const steps = [...staged.progress, ...activated.progress].filter(({ state }) => state === 'finished');
    expect(steps.map(({ step }) => step)).toEqual(['check', 'compare', 'download', 'sync', 'promote', 'check', 'flip']);
  });

  it('writes the journal in the order of the design', async () => {
    await start();
    offer('web-1');
    await deploy('web-1');
    const [file = ''] = readdirSync(join(root, 'state/operations'));
    const lines = readFileSync(join(root, 'state/operations', file), 'utf8')
      .trim()
      .split('\n');
    const events = lines.map((line) => JSON.parse(line) as { phase: string; event: string });
    expect(events.map(({ phase, event }) => `${phase} ${event}`)).toEqual([
      'stage started',
      'stage staging',
      'stage finished',
      'activate started',
      'activate flipping',
      'activate activated',
      'activate finished',
    ]);
  });

  it('keeps the old release current when the download fails', async () => {
    await start();
    offer('web-1');
    await deploy('web-1');
    await expect(stage('web-2')).rejects.toMatchObject({ code: 'DOWNLOAD_HTTP_STATUS', params: { status: 404 } });
    expect(link()).toBe('.deploy/web-1');
    expect(releasesOnDisk()).toEqual(['web-1']);
    expect(staging()).toEqual([]);
  });

  it('gives the outcome again to the same operation id, and does nothing twice', async () => {
    await start();
    offer('web-1');
    const operationId = newId();
    const first = await stage('web-1', { operationId });
    const again = await stage('web-1', { operationId });
    expect(again.result).toEqual(first.result);
    const activated = await client.activate({ operationId, target, release: 'web-1', autoRollback: true });
    const activatedAgain = await client.activate({ operationId, target, release: 'web-1', autoRollback: true });
    expect(activatedAgain.result).toEqual(activated.result);
    expect(origin.requests('/web-1.tar.gz')).toBe(1);
    const known = await client.call<unknown, GetOperationResponse__Output>('GetOperation', { operationId });
    expect(known).toMatchObject({ stage: 'succeeded', activate: 'succeeded', error: '' });
  });

  it('does not download the same content again, unless what stands was changed', async () => {
    await start();
    offer('web-1');
    const operationId = newId();
    const { sha256 } = (await stage('web-1', { operationId })).result;
    await client.activate({ operationId, target, release: 'web-1', autoRollback: true });
    const again = newId();
    expect((await stage('web-1', { operationId: again, sha256 })).result).toMatchObject({
      release: 'web-1',
      reused: true,
    });
    expect(origin.requests('/web-1.tar.gz')).toBe(1);
    const { result } = await client.activate({ operationId: again, target, release: 'web-1', autoRollback: true });
    expect(result).toMatchObject({ version: 'web-1', unchanged: true });
    writeFileSync(join(agent.serviceDir, 'web/version.txt'), 'changed by hand');
    expect((await stage('web-1', { sha256 })).result).toMatchObject({ release: 'web-1~2', reused: false });
    expect(origin.requests('/web-1.tar.gz')).toBe(2);
  });

  it('gives the same name with other content a copy of its own, reported under the same version', async () => {
    await start();
    offer('web-1', { 'a.txt': 'one' });
    await deploy('web-1');
    offer('web-1', { 'a.txt': 'two' });
    const { result } = await deploy('web-1');
    expect(result).toMatchObject({ version: 'web-1', previousVersion: 'web-1', unchanged: false });
    expect(link()).toBe('.deploy/web-1~2');
    expect(readFileSync(join(agent.serviceDir, 'web/a.txt'), 'utf8')).toBe('two');
  });

  it('refuses to replace a directory that stands where the link should', async () => {
    await start();
    mkdirSync(join(agent.serviceDir, 'web'), { recursive: true });
    offer('web-1');
    await expect(stage('web-1')).rejects.toMatchObject({
      code: 'LINK_NOT_A_SYMLINK',
      params: { link: join(agent.serviceDir, 'web') },
    });
    expect(origin.requests('/web-1.tar.gz')).toBe(0);
  });

  it('does not overwrite a link that somebody changed between staging and activation', async () => {
    await start();
    offer('web-1');
    await deploy('web-1');
    offer('web-2');
    const operationId = newId();
    await stage('web-2', { operationId });
    rmSync(join(agent.serviceDir, 'web'));
    symlinkSync('.deploy/by-hand', join(agent.serviceDir, 'web'));
    await expect(client.activate({ operationId, target, release: 'web-2', autoRollback: true })).rejects.toMatchObject({
      code: 'LINK_MOVED',
      params: { link: join(agent.serviceDir, 'web'), found: '.deploy/by-hand', expected: '.deploy/web-1' },
    });
    expect(link()).toBe('.deploy/by-hand');
  });

  it('tells a second operation on the same link who holds it, and lets it in once the first is cancelled', async () => {
    await start();
    offer('web-1');
    offer('web-2');
    await stage('web-1', { operationId: 'first' });
    await expect(stage('web-2', { operationId: 'second' })).rejects.toMatchObject({
      code: 'LINK_HELD',
      params: { project: 'shop', release: 'web-1', operationId: 'first' },
    });
    await client.call('CancelOperation', { operationId: 'first' });
    await expect(stage('web-2', { operationId: 'third' })).resolves.toMatchObject({ result: { release: 'web-2' } });
  });

  it('lets go of a link when the time between staging and activation is up', async () => {
    await start();
    offer('web-1');
    offer('web-2');
    await stage('web-1', { holdMs: 50 });
    await expect
      .poll(() =>
        stage('web-2').then(
          ({ result }) => result.release,
          (error: { code: string }) => error.code,
        ),
      )
      .toBe('web-2');
  });

  it('ends a download at its deadline', async () => {
    await start();
    const asked = origin.hang('/web-1.tar.gz');
    await expect(stage('web-1', { deadlineMs: 300 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      params: { seconds: 0.3 },
    });
    await asked;
    expect(staging()).toEqual([]);
  });

  it('ends a download that is cancelled', async () => {
    await start();
    const asked = origin.hang('/web-1.tar.gz');
    const failed = expect(stage('web-1', { operationId: 'cancelled' })).rejects.toMatchObject({
      code: 'OPERATION_CANCELLED',
    });
    await asked;
    expect(await client.call('CancelOperation', { operationId: 'cancelled' })).toEqual({ outcome: 'cancelled' });
    await failed;
    expect(staging()).toEqual([]);
  });
});

describe('a rollback', () => {
  it('makes a release current that is still on the disk, without a request to the origin', async () => {
    await start();
    for (const version of ['web-1', 'web-2']) {
      offer(version);
      await deploy(version);
    }
    const { result } = await client.activate({ operationId: newId(), target, version: 'web-1', autoRollback: true });
    expect(result).toMatchObject({ version: 'web-1', previousVersion: 'web-2' });
    expect(link()).toBe('.deploy/web-1');
    expect(origin.requests('/web-1.tar.gz')).toBe(1);
  });

  it('to a version that is not there names those that are', async () => {
    await start();
    for (const version of ['web-1', 'web-2']) {
      offer(version);
      await deploy(version);
    }
    await expect(
      client.activate({ operationId: newId(), target, version: 'web-9', autoRollback: true }),
    ).rejects.toMatchObject({
      code: 'RELEASE_NOT_FOUND',
      params: { version: 'web-9', available: 'web-1' },
    });
  });
});

describe('hooks and reload', () => {
  const script = (path: string, text: string) => {
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  };

  it('run in the release: one before it is current, the others after', async () => {
    const log = join(root, 'order');
    const say = (name: string) =>
      script(join(root, name), `echo ${name} $SAMPAN_VERSION $(pwd -P) $(readlink ${root}/service/web) >> ${log}`);
    await start(
      php({
        reload: [say('reload')],
        hooks: { pre_activate: { run: say('pre') }, post_activate: { run: [say('post')] } },
      }),
    );
    offer('web-1');
    await deploy('web-1');
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    expect(lines[0]).toMatch(/^pre web-1 .*\/\.staging\/.*$/);
    expect(lines[0]).not.toContain('.deploy/web-1');
    expect(lines[1]).toMatch(/^reload .* \.deploy\/web-1$/);
    expect(lines[2]).toBe(`post web-1 ${join(root, 'service/.deploy/web-1')} .deploy/web-1`);
  });

  it('that the release does not bring are skipped', async () => {
    await start(php({ hooks: { post_activate: { run: './____post-deploy.sh' } } }));
    offer('web-1');
    await deploy('web-1');
    expect(link()).toBe('.deploy/web-1');
  });

  it('that fail before the flip leave the old release current and nothing behind', async () => {
    await start(php({ hooks: { pre_activate: { run: './check.sh' } } }));
    offer('web-1');
    await deploy('web-1');
    origin.serve(
      '/web-2.tar.gz',
      tarball({ 'check.sh': { text: '#!/bin/sh\necho no database >&2; exit 3\n', mode: 0o755 } }),
    );
    await expect(deploy('web-2')).rejects.toMatchObject({
      code: 'HOOK_FAILED',
      params: { hook: 'pre_activate', ending: 'exit 3', output: 'no database' },
    });
    expect(link()).toBe('.deploy/web-1');
    expect(releasesOnDisk()).toEqual(['web-1']);
    expect(staging()).toEqual([]);
  });

  it('that fail after the flip bring the old release back, and say so', async () => {
    const reloads = join(root, 'reloads');
    await start(
      php({
        reload: ['/bin/sh', '-c', `readlink ${root}/service/web >> ${reloads}`],
        hooks: { post_activate: { run: './post.sh' } },
      }),
    );
    offer('web-1');
    await deploy('web-1');
    origin.serve('/web-2.tar.gz', tarball({ 'post.sh': { text: '#!/bin/sh\nexit 4\n', mode: 0o755 } }));
    await expect(deploy('web-2')).rejects.toMatchObject({
      code: 'HOOK_FAILED',
      params: { hook: 'post_activate', ending: 'exit 4', output: '' },
      aftermath: { current: 'web-1', reverted: true },
    });
    expect(link()).toBe('.deploy/web-1');
    expect(readFileSync(reloads, 'utf8')).toBe('.deploy/web-1\n.deploy/web-2\n.deploy/web-1\n');
  });

  it('that fail leave the new release current where going back was not wanted', async () => {
    await start(php({ hooks: { post_activate: { run: './post.sh' } } }));
    offer('web-1');
    await deploy('web-1');
    origin.serve('/web-2.tar.gz', tarball({ 'post.sh': { text: '#!/bin/sh\nexit 4\n', mode: 0o755 } }));
    await expect(deploy('web-2', { autoRollback: false })).rejects.toMatchObject({
      aftermath: { current: 'web-2', reverted: false },
    });
    expect(link()).toBe('.deploy/web-2');
  });

  it('that fail leave the new release current where there was none before', async () => {
    await start(php({ hooks: { post_activate: { run: './post.sh' } } }));
    origin.serve('/web-1.tar.gz', tarball({ 'post.sh': { text: '#!/bin/sh\nexit 4\n', mode: 0o755 } }));
    await expect(deploy('web-1')).rejects.toMatchObject({ aftermath: { current: 'web-1', reverted: false } });
    expect(link()).toBe('.deploy/web-1');
  });

  it('are killed with everything that they started when their time is up', async () => {
    const pidFile = join(root, 'pid');
    const run = ['/bin/sh', '-c', `sleep 60 & echo $! > ${pidFile}; wait`];
    await start(php({ hooks: { post_activate: { run, timeout: '300ms' } } }));
    offer('web-1');
    await expect(deploy('web-1')).rejects.toMatchObject({
      params: { hook: 'post_activate', ending: 'timed out after 0.3 s' },
    });
    await expect.poll(() => startTimeOf(Number(readFileSync(pidFile, 'utf8')))).toBeUndefined();
  });

  it('that leave a daemon behind do not hold the deploy up', async () => {
    const pidFile = join(root, 'pid');
    await start(php({ hooks: { post_activate: { run: ['/bin/sh', '-c', `sleep 60 & echo $! > ${pidFile}`] } } }));
    offer('web-1');
    await deploy('web-1');
    process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
  });
});

describe('retention', () => {
  const releases = async () => {
    const answer = await client.call<unknown, ListReleasesResponse__Output>('ListReleases', { target });
    return answer.releases.map(({ release }) => release);
  };

  it('keeps the newest releases, the current one and the one just left', async () => {
    await start({ releases: { keep: 2 } });
    for (const version of ['web-1', 'web-2', 'web-3', 'web-4']) {
      offer(version);
      await deploy(version);
    }
    await expect.poll(releases).toEqual(['web-4', 'web-3']);
    await expect.poll(releasesOnDisk).toEqual(['web-3', 'web-4']);
    await expect.poll(staging).toEqual([]);
  });

  it('deletes filename_delete, but never what is current, just left, linked elsewhere or in use', async () => {
    await start();
    for (const version of ['web-1', 'web-2', 'web-3', 'web-4']) {
      offer(version);
      await deploy(version);
    }
    symlinkSync('.deploy/web-2', join(agent.serviceDir, 'by-hand'));
    const kept = (filename: string) => client.call('Remove', { target, filename });
    expect(await kept('web-2.tar.gz')).toEqual({ removed: [], kept: [{ release: 'web-2', reason: 'linked' }] });
    expect(await kept('web-4.tar.gz')).toEqual({ removed: [], kept: [{ release: 'web-4', reason: 'current' }] });
    offer('web-5');
    await deploy('web-5', { filenameDelete: 'web-1.tar.gz' });
    await expect.poll(releases).toEqual(['web-5', 'web-4', 'web-3', 'web-2']);
    offer('web-6');
    await deploy('web-6', { filenameDelete: 'web-5.tar.gz' });
    expect(await releases()).toContain('web-5');
  });
});
