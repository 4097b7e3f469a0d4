import type { GetStatusResponse__Output } from '@sampan/shared/gen/sampan/agent/v1/GetStatusResponse.ts';
import type { AgentConnection } from './agent-connection.ts';
import { callAgent, type UnaryCall } from './call-agent.ts';

const CALL: UnaryCall<GetStatusResponse__Output> = {
  method: 'GetStatus',
  timeoutMs: 5_000,
  start: (client, options, done) => client.getStatus({}, options, done),
};

/** What an agent says of itself and of its host. @throws as `callAgent` does. */
export function getStatus(connection: AgentConnection, signal: AbortSignal): Promise<GetStatusResponse__Output> {
  return callAgent(connection, CALL, signal);
}
