import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestAgentClient } from '../../../helpers/agent-client.ts';
import { tarball } from '../../../helpers/archives.ts';
import { type Origin, startOrigin } from '../../../helpers/origin.ts';
import { type StartedAgent, startAgent } from '../../../helpers/start-agent.ts';
import { keptTempDir } from '../../../helpers/temp-dir.ts';

const target = { projectName: 'shop', linkName: 'web', language: 'php' } as const;

describe('what the service before Sampan has left', () => {
  let root: string;
  let base: string;
  let origin: Origin;
  let agent: StartedAgent;
  let client: TestAgentClient;
  let operations: number;

  beforeEach(async () => {
    root = keptTempDir();
    base = join(root, 'service');
    operations = 0;
    for (const version of ['web-1', 'web-2']) {
      mkdirSync(join(base, '.deploy', version), { recursive: true });
      writeFileSync(join(base, '.deploy', version, 'version.txt'), version);
    }
    symlinkSync(join(base, '.deploy/web-2'), join(base, 'web'));
    origin = await startOrigin();
    await start();
  });
  afterEach(async () => {
    client.close();
    await agent.stop();
    await origin.close();
    rmSync(root, { recursive: true, force: true });
  });

  it('is known for what it was after the agent was killed: only what the link named is gone back to', async () => {
    await deploy('web-3');
    client.close();
    await agent.stop('SIGKILL');
    await start();
    expect(readdirSync(join(base, '.deploy')).filter((name) => !name.startsWith('.'))).toEqual([
      'web-1',
      'web-2',
      'web-3',
    ]);
    await expect(rollback('web-1')).rejects.toMatchObject({
      code: 'OLD_RELEASE_REFUSED',
      params: { release: 'web-1', reason: 'no_archive', detail: 'web-1.tar.gz, web-1.tgz, web-1.tar' },
    });
    expect(await rollback('web-2')).toMatchObject({ version: 'web-2', previousVersion: 'web-3', unchanged: false });
    expect(readlinkSync(join(base, 'web'))).toBe('.deploy/web-2');
    expect(readFileSync(join(base, 'web/version.txt'), 'utf8')).toBe('web-2');
  });

  it('is gone back to before the first deploy too, in a base in which Sampan has made nothing yet', async () => {
    writeFileSync(join(base, '.deploy/web-1.tar.gz'), tarball({ 'version.txt': 'web-1' }));
    expect(await rollback('web-1')).toMatchObject({ version: 'web-1', previousVersion: 'web-2' });
    expect(readlinkSync(join(base, 'web'))).toBe('.deploy/web-1');
    rmSync(join(base, '.deploy/web-1.tar.gz'));
    expect(await rollback('web-2')).toMatchObject({ version: 'web-2', previousVersion: 'web-1' });
    // It has served since, so that its archive is not asked for any more.
    expect(await rollback('web-1')).toMatchObject({ version: 'web-1', previousVersion: 'web-2' });
  });

  async function start(): Promise<void> {
    agent = await startAgent(root);
    client = new TestAgentClient(agent.host);
  }

  async function deploy(version: string): Promise<void> {
    const operationId = newId();
    const fileUrl = origin.serve(`/${version}.tar.gz`, tarball({ 'version.txt': version }));
    const { result } = await client.stage({ operationId, target, fileUrl, filename: `${version}.tar.gz` });
    await client.activate({ operationId, target, release: result.release, autoRollback: true });
  }

  async function rollback(version: string) {
    return (await client.activate({ operationId: newId(), target, version, autoRollback: true })).result;
  }

  function newId(): string {
    operations += 1;
    return `op-${operations}`;
  }
});
