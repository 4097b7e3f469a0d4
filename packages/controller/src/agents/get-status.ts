import type { AnswerOf } from '@sampan/shared/agent-definition.ts';
import type { AgentConnection } from './agent-connection.ts';
import { callAgent } from './call-agent.ts';

const TIMEOUT_MS = 5_000;

/** What an agent says of itself and of its host. @throws as `callAgent` does. */
export function getStatus(connection: AgentConnection, signal: AbortSignal): Promise<AnswerOf<'GetStatus'>> {
  return callAgent(connection, { method: 'GetStatus', request: {}, timeoutMs: TIMEOUT_MS }, signal);
}
