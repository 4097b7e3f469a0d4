import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { TestAgentClient } from '../../../helpers/agent-client.ts';
import { tarball } from '../../../helpers/archives.ts';
import { startOrigin } from '../../../helpers/origin.ts';
import { agentConfig, startAgent } from '../../../helpers/start-agent.ts';
import { keptTempDir } from '../../../helpers/temp-dir.ts';

const target = { projectName: 'shop', linkName: 'web', language: 'php' } as const;

it('refuses a second agent on the same base, at its start and at its first deploy, until the first has died', async () => {
  const root = keptTempDir();
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const origin = await startOrigin();
  onTestFinished(() => origin.close());
  const fileUrl = origin.serve('/web-1.tar.gz', tarball({ 'version.txt': '1' }));
  const { languages } = agentConfig(root);
  const first = await startAgent(root);
  // Started while nobody has deployed yet: the base is nobody's.
  const second = await startAgent(join(root, 'second'), { languages });
  onTestFinished(async () => {
    await second.stop();
  });
  const stage = async (host: string) => {
    const client = new TestAgentClient(host);
    onTestFinished(() => client.close());
    return client.stage({ operationId: `op-${host.split(':')[1]}`, target, fileUrl, filename: 'web-1.tar.gz' });
  };
  await stage(first.host);
  await expect(stage(second.host)).rejects.toMatchObject({
    code: 'BASE_HELD',
    params: { base: join(root, 'service'), holder: `pid ${first.pid}` },
  });
  await expect(startAgent(join(root, 'third'), { languages })).rejects.toThrow(
    `another agent works on ${join(root, 'service')} (pid ${first.pid}); a base belongs to one agent`,
  );
  await first.stop('SIGKILL');
  const third = await startAgent(join(root, 'third'), { languages });
  await third.stop();
});
