import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { GetCurrentVersionResponse__Output } from '@sampan/shared/gen/sampan/agent/v1/GetCurrentVersionResponse.ts';
import type { GetStatusResponse__Output } from '@sampan/shared/gen/sampan/agent/v1/GetStatusResponse.ts';
import type { ListReleasesResponse__Output } from '@sampan/shared/gen/sampan/agent/v1/ListReleasesResponse.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OwnClock, ownClock } from '../../../faults/harness/own-clock.ts';
import { TestAgentClient } from '../../../helpers/agent-client.ts';
import { tarball } from '../../../helpers/archives.ts';
import { type Origin, startOrigin } from '../../../helpers/origin.ts';
import { requires } from '../../../helpers/requires.ts';
import { agentConfig, type StartedAgent, startAgent } from '../../../helpers/start-agent.ts';
import { startProcess } from '../../../helpers/start-process.ts';
import { keptTempDir } from '../../../helpers/temp-dir.ts';

const target = { projectName: 'shop', linkName: 'web', language: 'php' } as const;

let root: string;
let base: string;
let origin: Origin;
let agent: StartedAgent;
let client: TestAgentClient;
let operations = 0;

beforeEach(async () => {
  root = keptTempDir();
  base = join(root, 'service');
  origin = await startOrigin();
  await start();
});

afterEach(async () => {
  client.close();
  await agent.stop();
  await origin.close();
  rmSync(root, { recursive: true, force: true });
});

async function start(): Promise<void> {
  agent = await startAgent(root);
  client = new TestAgentClient(agent.host);
}

/** The agent dies, something happens, and it comes back. */
async function restart(meanwhile: () => void = () => undefined): Promise<void> {
  client.close();
  await agent.stop('SIGKILL');
  meanwhile();
  await start();
}

function newId(): string {
  operations += 1;
  return `op-${operations}`;
}

async function deploy(version: string, operationId = newId()) {
  const bytes = tarball({ 'version.txt': version, 'src/app.php': `<?php // ${version}`, 'log.txt': '' });
  const fileUrl = origin.serve(`/${version}.tar.gz`, bytes);
  const { result } = await client.stage({ operationId, target, fileUrl, filename: `${version}.tar.gz` });
  return (await client.activate({ operationId, target, release: result.release, autoRollback: true })).result;
}

const rollback = async (version: string) =>
  (await client.activate({ operationId: newId(), target, version, autoRollback: true })).result;
const link = () => readlinkSync(join(base, 'web'));
const release = (name: string) => join(base, '.deploy', name);
const current = () =>
  client.call<object, GetCurrentVersionResponse__Output>('getCurrentVersion', { target }).then(
    ({ version }) => version,
    ({ code }) => code,
  );
const listed = async () =>
  (await client.call<object, ListReleasesResponse__Output>('listReleases', { target })).releases.map(
    (one) => one.release,
  );
const status = () => client.call<object, GetStatusResponse__Output>('getStatus', {});
const checkOf = async (name: string) => (await status()).checks.find((check) => check.name === name);
const warned = (msg: string) => agent.log.filter((line) => line.msg === msg && line.level === 40);

describe('a release', () => {
  beforeEach(async () => {
    for (const version of ['web-1', 'web-2', 'web-3']) await deploy(version);
  });

  it('that has lost a file is not rolled back to, which the caller is told; deployed again it is whole', async () => {
    rmSync(release('web-1/src/app.php'));
    await expect(rollback('web-1')).rejects.toMatchObject({
      code: 'RELEASE_CHANGED',
      params: { release: 'web-1', difference: 'src/app.php is missing' },
    });
    expect(link()).toBe('.deploy/web-3');
    expect((await deploy('web-1')).version).toBe('web-1');
    expect(readFileSync(join(base, 'web/src/app.php'), 'utf8')).toBe('<?php // web-1');
  });

  it('in which a directory became something else is not rolled back to', async () => {
    rmSync(release('web-1/src'), { recursive: true });
    symlinkSync('/etc', release('web-1/src'));
    await expect(rollback('web-1')).rejects.toMatchObject({
      code: 'RELEASE_CHANGED',
      params: { release: 'web-1', difference: 'src/app.php is missing' },
    });
    expect(link()).toBe('.deploy/web-3');
  });

  it('whose files its application has written to is rolled back to', async () => {
    writeFileSync(release('web-1/log.txt'), 'a line\n');
    expect(await rollback('web-1')).toMatchObject({ version: 'web-1', previousVersion: 'web-3' });
  });

  it('whose list of files is gone is not rolled back to: nobody can tell whether it is whole', async () => {
    rmSync(join(base, '.deploy/.meta/web-1.tree'));
    await expect(rollback('web-1')).rejects.toMatchObject({
      code: 'RELEASE_CHANGED',
      params: { release: 'web-1', difference: expect.stringMatching(/^its tree file cannot be read: ENOENT/) },
    });
  });

  it.each<[string, (name: string) => void]>([
    ['removed', (name) => rmSync(release(name), { recursive: true })],
    ['renamed', (name) => renameSync(release(name), release(`${name}-old`))],
    ['copied and put back', (name) => copyInPlace(release(name))],
  ])('that was %s is not listed, and a rollback names those that are', async (_how, change) => {
    change('web-1');
    expect(await listed()).toEqual(['web-3', 'web-2']);
    await expect(rollback('web-1')).rejects.toMatchObject({
      code: 'RELEASE_NOT_FOUND',
      params: { version: 'web-1', available: 'web-2' },
    });
    expect((await deploy('web-1')).version).toBe('web-1');
    expect(readFileSync(join(base, 'web/version.txt'), 'utf8')).toBe('web-1');
  });

  it('that is current and was removed is told as missing, and what is deployed then does not go back to it', async () => {
    rmSync(release('web-3'), { recursive: true });
    expect(await current()).toBe('RELEASE_MISSING');
    expect(await deploy('web-4')).toMatchObject({ version: 'web-4', previousVersion: '.deploy/web-3' });
    expect(await listed()).toEqual(['web-4', 'web-2', 'web-1']);
  });
});

describe('the link', () => {
  beforeEach(async () => {
    for (const version of ['web-1', 'web-2']) await deploy(version);
  });

  function point(to: string): void {
    rmSync(join(base, 'web'));
    symlinkSync(to, join(base, 'web'));
  }

  it.each([
    ['another release', '.deploy/web-1', 'web-1'],
    ['a place outside the base', '/usr/share', '/usr/share'],
  ])('set by hand to %s is what is reported; the next deploy heeds it and says so', async (_what, to, version) => {
    point(to);
    expect(await current()).toBe(version);
    expect(await deploy('web-3')).toMatchObject({ version: 'web-3', previousVersion: version });
    expect(warned('the link was changed by somebody else')).toEqual(
      Array.from({ length: 2 }, () => expect.objectContaining({ found: to, left: ['.deploy/web-2'] })),
    );
  });

  it('that leads nowhere is told as such', async () => {
    point('.deploy/web-9');
    expect(await current()).toBe('RELEASE_MISSING');
    expect(await deploy('web-3')).toMatchObject({ version: 'web-3', previousVersion: '.deploy/web-9' });
  });

  it('that was removed is told as not deployed', async () => {
    rmSync(join(base, 'web'));
    expect(await current()).toBe('NOT_DEPLOYED');
    expect(await deploy('web-3')).toMatchObject({ version: 'web-3', previousVersion: '' });
  });

  it.each<[string, () => void]>([
    ['a directory', () => mkdirSync(join(base, 'web'))],
    ['a file', () => writeFileSync(join(base, 'web'), 'text')],
  ])(
    'in whose place %s stands is told before anything is downloaded, and nothing of it is touched',
    async (_what, put) => {
      rmSync(join(base, 'web'));
      put();
      expect(await current()).toBe('LINK_NOT_A_SYMLINK');
      await expect(deploy('web-3')).rejects.toMatchObject({
        code: 'LINK_NOT_A_SYMLINK',
        params: { link: join(base, 'web') },
      });
      await expect(rollback('web-1')).rejects.toMatchObject({ code: 'LINK_NOT_A_SYMLINK' });
      expect(origin.requests('/web-3.tar.gz')).toBe(0);
      expect(readdirSync(join(base, '.deploy')).sort()).toEqual(['.meta', '.staging', 'web-1', 'web-2']);
    },
  );

  it('that is changed between staging and activating is not overwritten', async () => {
    const fileUrl = origin.serve('/web-3.tar.gz', tarball({ 'version.txt': 'web-3' }));
    await client.stage({ operationId: 'late', target, fileUrl, filename: 'web-3.tar.gz' });
    point('.deploy/web-1');
    await expect(client.activate({ operationId: 'late', target, release: 'web-3' })).rejects.toMatchObject({
      code: 'LINK_MOVED',
      params: { link: join(base, 'web'), found: '.deploy/web-1', expected: '.deploy/web-2' },
    });
    expect(link()).toBe('.deploy/web-1');
  });

  it('says nothing of a link that is where it was left, also after going back and rolling back', async () => {
    await rollback('web-1');
    await deploy('web-3');
    await restart();
    await deploy('web-4');
    expect(warned('the link was changed by somebody else')).toEqual([]);
  });
});

describe('the state directory', () => {
  const state = () => join(root, 'state');

  it('removed under a running agent: it is not ready, says why, and begins nothing', async () => {
    await deploy('web-1');
    rmSync(state(), { recursive: true });
    expect(await checkOf('journal')).toEqual({ name: 'journal', ok: false, detail: `${state()}/operations: ENOENT` });
    expect((await status()).ready).toBe(false);
    await expect(deploy('web-2')).rejects.toMatchObject({
      code: 'DISK_ERROR',
      params: { operation: 'journal', reason: 'ENOENT' },
    });
    expect(link()).toBe('.deploy/web-1');
    await restart();
    expect((await deploy('web-2')).version).toBe('web-2');
  });

  it('removed between two lives: what it did is unknown, not denied, and its releases are there', async () => {
    await deploy('web-1', 'first');
    await restart(() => rmSync(state(), { recursive: true }));
    expect(warned('the journal is older than the newest release')).toMatchObject([{ release: 'web-1' }]);
    await expect(client.call('getOperation', { operationId: 'first' })).rejects.toMatchObject({
      code: 'OPERATION_UNKNOWN',
    });
    expect(await current()).toBe('web-1');
    // The same operation again finds its release and its link.
    expect(await deploy('web-1', 'first')).toMatchObject({ version: 'web-1', unchanged: true });
    expect(origin.requests('/web-1.tar.gz')).toBe(1);
  });

  it('put back as it was in the middle of a flip: what it calls interrupted is not gone on with', async () => {
    await deploy('web-1');
    await deploy('web-2', 'old');
    const copy = join(root, 'copy');
    cpSync(state(), copy, { recursive: true });
    const journal = join(copy, 'operations/old.jsonl');
    // As if it had been copied just after the flip.
    writeFileSync(journal, untilFlipping(readFileSync(journal, 'utf8')));
    await deploy('web-3');
    await rollback('web-2');
    await restart(() => {
      rmSync(state(), { recursive: true });
      renameSync(copy, state());
    });
    expect(warned('going on with an interrupted activation')).toEqual([]);
    await expect(
      client.activate({ operationId: 'old', target, release: 'web-2', autoRollback: true }),
    ).rejects.toMatchObject({
      code: 'STATE_UNKNOWN',
      params: { known: 'the journal is older than the newest release' },
    });
    expect(link()).toBe('.deploy/web-2');
    expect((await deploy('web-4')).previousVersion).toBe('web-2');
  });

  function untilFlipping(text: string): string {
    const lines = text.split('\n');
    return `${lines.slice(0, lines.findIndex((line) => line.includes('"flipping"')) + 1).join('\n')}\n`;
  }
});

describe.runIf(requires('libfaketime'))('the clock', () => {
  let clock: OwnClock;

  beforeEach(async () => {
    client.close();
    await agent.stop();
    clock = ownClock(root);
    await startWithClock();
  });

  async function startWithClock(): Promise<void> {
    const { log_level: _, ...config } = { log_level: '', ...agentConfig(root) };
    writeFileSync(join(root, 'agent.yaml'), JSON.stringify(config));
    const program = new URL('../../../../packages/agent/bin/sampan-agent.mjs', import.meta.url).pathname;
    const started = await startProcess([program, '--config', join(root, 'agent.yaml')], {
      ready: 'agent is ready',
      cwd: root,
      env: clock.env,
    });
    agent = { ...agent, ...started, host: `127.0.0.1:${started.readyLine.grpcPort}` };
    client = new TestAgentClient(agent.host);
  }

  it.each([
    ['back', -1],
    ['ahead', 1],
  ])('set %s between deploys: it is said, and what came later is still the newer', async (direction, days) => {
    await deploy('web-1');
    expect(await checkOf('clock')).toEqual({ name: 'clock', ok: true, detail: 'steady since the start' });
    clock.setDaysAhead(days);
    await deploy('web-2');
    expect(warned('the clock was set; the order of releases and operations does not depend on it')).toMatchObject([
      { direction, seconds: expect.toSatisfy((seconds: number) => Math.abs(seconds - 86_400) <= 2) },
    ]);
    expect((await checkOf('clock'))?.detail).toMatch(
      new RegExp(`^went ${direction} by 8640\\d s|^went ${direction} by 8639\\d s`),
    );
    clock.setDaysAhead(0);
    await deploy('web-3');
    expect(await listed()).toEqual(['web-3', 'web-2', 'web-1']);
  });

  it('behind what an earlier life wrote down: it is said at the start', async () => {
    await deploy('web-1');
    client.close();
    await agent.stop();
    clock.setDaysAhead(-1);
    await startWithClock();
    expect((await checkOf('clock'))?.detail).toMatch(/^went back by 86\d{3} s, noticed at /);
    expect((await deploy('web-2')).previousVersion).toBe('web-1');
    expect(await listed()).toEqual(['web-2', 'web-1']);
  });
});

/** The same content, as a backup brings it back: of other inodes. */
function copyInPlace(dir: string): void {
  execFileSync('cp', ['-a', dir, `${dir}.copy`]);
  rmSync(dir, { recursive: true });
  renameSync(`${dir}.copy`, dir);
  expect(existsSync(dir)).toBe(true);
  expect(readdirSync(dir)).not.toEqual([]);
}
