import { createReadStream } from 'node:fs';
import type { AgentConnection } from '../agents/agent-connection.ts';
import { methodOf } from '../agents/agent-methods.ts';
import { startCall } from '../agents/start-call.ts';
import type { GrpcCall } from '../grpc/grpc-call.ts';
import type { AgentPackage } from './agent-package.ts';

const METHOD = 'UpgradeAgent';
const TIMEOUT_MS = 10 * 60_000;
const CHUNK_BYTES = 256 * 1024;

/**
 * Sends an agent its next version. Resolves with that, when the agent has begun to install it.
 * @throws DeployError as the agent sent it, AGENT_UNSUPPORTED where it is too old for that; AgentLoss when the connection breaks.
 */
export async function sendPackage(connection: AgentConnection, agentPackage: AgentPackage): Promise<string> {
  const answered = new AbortController();
  return await new Promise<string>((resolve, reject) => {
    let version: string | undefined;
    const listener = {
      onAnswer: (answer: { version: string }) => {
        ({ version } = answer);
      },
      onEnd: (error: unknown) => {
        answered.abort();
        if (error !== undefined) reject(error);
        else if (version === undefined) reject(new Error(`${METHOD} gave no answer`));
        else resolve(version);
      },
    };
    const call = startCall(connection, { method: METHOD, timeoutMs: TIMEOUT_MS }, listener);
    // What ends the call before all is sent is told by its answer.
    send(call, agentPackage, answered.signal).catch((error: unknown) => call.cancel(error));
  });
}

async function send(call: GrpcCall, { file, sha256, bytes }: AgentPackage, answered: AbortSignal): Promise<void> {
  const { requestSerialize: write } = methodOf(METHOD);
  call.send(write({ order: { sha256, bytes } }));
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES, signal: answered })) {
    if (!call.send(write({ chunk: chunk as Buffer }))) await call.drained();
  }
  call.finish();
}
