import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { startAgent } from '@sampan/agent/agent.ts';
import { UnpackProcess } from '@sampan/agent/artifact/unpack-process.ts';
import { agentConfigSchema, loadAgentConfig } from '@sampan/agent/config.ts';
import { ChunkGarbage } from '@sampan/agent/host/chunk-garbage.ts';
import { createLogger } from '@sampan/shared/logger.ts';
import { unpackInChild, unpackInWorker } from './unpack-in.ts';

// A program: an agent that also unpacks one url again and again, in child processes, or in worker threads where it is told
// their program. It says when it is done, and lives on, to be looked at.
if (import.meta.main) await unpackRepeatedly(process.argv.slice(2));

async function unpackRepeatedly([config = '', url = '', times = '1', workerProgram]: string[]): Promise<void> {
  await startAgent(loadAgentConfig(config), createLogger('unpack-host', 'silent'));
  for (let round = 0; round < Number(times); round += 1) {
    const stagingDir = join(config, '..', `staging-${round}`);
    await mkdir(stagingDir);
    const [body] = (await once(get(url), 'response')) as [IncomingMessage];
    const order = orderFor(stagingDir);
    if (workerProgram === undefined) await unpackInChild(UnpackProcess, order, hashed(body));
    else await unpackInWorker(workerProgram, order, hashed(body));
    await rm(stagingDir, { recursive: true });
  }
  process.stdout.write(`${JSON.stringify({ msg: 'has unpacked' })}\n`);
}

function orderFor(stagingDir: string) {
  const { unpack } = agentConfigSchema.parse({});
  return { stagingDir, filename: 'php.tar.gz', kind: 'tar', owner: null, allowLinksTo: [], limits: unpack } as const;
}

/** What the agent does with bytes on their way: their digest, and away with their buffers. */
async function* hashed(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  const garbage = new ChunkGarbage();
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
    garbage.passed(chunk.length);
  }
  hash.digest();
}
