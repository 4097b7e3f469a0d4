import type { ServerReadableStream } from '@grpc/grpc-js';
import { DeployError } from '@sampan/shared/errors.ts';
import type { UpgradeAgentRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/UpgradeAgentRequest.ts';
import type { UpgradeAgentResponse } from '@sampan/shared/gen/sampan/agent/v1/UpgradeAgentResponse.ts';
import type { AgentCore } from '../agent-core.ts';
import { invalid } from '../parse-request.ts';

type Call = ServerReadableStream<UpgradeAgentRequest__Output, UpgradeAgentResponse>;

/** Not while deploys run. Those that begin meanwhile meet a restart, which they survive. */
export async function upgradeAgent(
  { upgrade, operations, services }: AgentCore,
  call: Call,
  signal: AbortSignal,
): Promise<UpgradeAgentResponse> {
  if (operations.runningCount > 0) throw new DeployError('AGENT_BUSY', { operations: operations.runningCount });
  const parts = call[Symbol.asyncIterator]() as AsyncIterator<UpgradeAgentRequest__Output>;
  const first = await parts.next();
  const order = first.done ? undefined : first.value.order;
  if (!order) throw invalid('order', '', 'the order before the bytes');
  const version = await upgrade.install(order, chunksOf(parts), signal);
  services.log.warn({ version }, 'another version is being installed');
  return { version };
}

async function* chunksOf(parts: AsyncIterator<UpgradeAgentRequest__Output>): AsyncGenerator<Buffer> {
  for (let next = await parts.next(); !next.done; next = await parts.next()) {
    if (next.value.chunk) yield next.value.chunk;
  }
}
