import type { CancelOperationResponse__Output } from '@sampan/shared/gen/sampan/agent/v1/CancelOperationResponse.ts';
import { callAgent, type UnaryCall } from '../agents/call-agent.ts';
import type { HostRun } from './host-run.ts';

const TIMEOUT_MS = 5_000;

/**
 * Asks the agent to end the operation before its flip, and so to let go of the link. Never throws: the outcome comes as the
 * end of the call that runs, and an agent that cannot be reached lets go when its hold runs out.
 */
export async function cancelAtAgent(run: HostRun): Promise<void> {
  if (!run.contacted) return;
  const fields = { operationId: run.operationId, host: run.host.name };
  try {
    const connection = await run.agents.connect(run.host.address, run.stop.abandoned);
    const answer = await callAgent(connection, cancelCall(run.operationId), run.stop.abandoned);
    run.log.info({ ...fields, outcome: answer.outcome }, 'operation cancelled at the agent');
  } catch (err) {
    run.log.warn({ ...fields, err }, 'operation not cancelled at the agent');
  }
}

function cancelCall(operationId: string): UnaryCall<CancelOperationResponse__Output> {
  return {
    method: 'CancelOperation',
    timeoutMs: TIMEOUT_MS,
    start: (client, options, done) => client.cancelOperation({ operationId }, options, done),
  };
}
