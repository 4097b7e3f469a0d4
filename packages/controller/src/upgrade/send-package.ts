import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import type { UpgradeAgentResponse__Output } from '@sampan/shared/gen/sampan/agent/v1/UpgradeAgentResponse.ts';
import type { AgentConnection } from '../agents/agent-connection.ts';
import { agentError } from '../agents/agent-loss.ts';
import type { AgentPackage } from './agent-package.ts';

const METHOD = 'UpgradeAgent';
const TIMEOUT_MS = 10 * 60_000;
const CHUNK_BYTES = 256 * 1024;

/**
 * Sends an agent its next version. Resolves with that, when the agent has begun to install it.
 * @throws DeployError as the agent sent it, AGENT_UNSUPPORTED where it is too old for that; AgentLoss when the connection breaks.
 */
export async function sendPackage(connection: AgentConnection, agentPackage: AgentPackage): Promise<string> {
  const ended = connection.begin();
  const answered = new AbortController();
  try {
    return await new Promise<string>((resolve, reject) => {
      const call = connection.client.upgradeAgent({ deadline: Date.now() + TIMEOUT_MS }, (error, response) => {
        answered.abort();
        if (error) reject(agentError(error, { method: METHOD, timeoutMs: TIMEOUT_MS }));
        else resolve((response as UpgradeAgentResponse__Output).version);
      });
      // What ends the call before all is sent is told by its answer.
      send(call, agentPackage, answered.signal).catch((error: unknown) => {
        if (answered.signal.aborted) return;
        call.cancel();
        reject(error);
      });
    });
  } finally {
    ended();
  }
}

type Call = ReturnType<AgentConnection['client']['upgradeAgent']>;

async function send(call: Call, { file, sha256, bytes }: AgentPackage, answered: AbortSignal): Promise<void> {
  call.write({ order: { sha256, bytes } });
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES, signal: answered })) {
    if (!call.write({ chunk: chunk as Buffer })) await once(call, 'drain', { signal: answered });
  }
  call.end();
}
