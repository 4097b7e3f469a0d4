import { setTimeout as delay } from 'node:timers/promises';
import { asDeployError, DeployError } from '@sampan/shared/errors.ts';
import type { GetOperationResponse__Output } from '@sampan/shared/gen/sampan/agent/v1/GetOperationResponse.ts';
import { isLoss, lossReason } from '../agents/agent-loss.ts';
import { callAgent, type UnaryCall } from '../agents/call-agent.ts';
import type { Fleet } from '../fleet.ts';
import { backoffMs } from './backoff.ts';
import type { HostRun } from './host-run.ts';
import type { Host } from './rollout-plan.ts';

const TIMEOUT_MS = 5_000;

/**
 * Asks an agent how far an operation had come that this controller had begun before it died. One that cannot be reached is
 * waited for as long as a host may take, since it alone can tell.
 * @throws DeployError STATE_UNKNOWN: it could not be asked, or `stop` was aborted first.
 */
export async function recallOperation(
  fleet: Fleet,
  { operationId, host }: { operationId: string; host: Host },
  stop: AbortSignal,
): Promise<Pick<HostRun, 'contacted' | 'activateSent'>> {
  const untilMs = performance.now() + fleet.limits.timeoutMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const connection = await fleet.agents.connect(host.address, stop);
      const { activate } = await callAgent(connection, getOperation(operationId), stop);
      return { contacted: true, activateSent: activate !== '' };
    } catch (error) {
      // It keeps its last thousand operations: one that it does not know never reached it.
      if (DeployError.is(error, 'OPERATION_UNKNOWN')) return { contacted: false, activateSent: false };
      const waitMs = backoffMs(attempt);
      if (stop.aborted || !isLoss(error) || performance.now() + waitMs > untilMs) throw unknownState(error, stop);
      fleet.log.warn({ operationId, host: host.name, err: error }, 'cannot ask the agent yet');
      await delay(waitMs, undefined, { signal: stop }).catch(() => undefined);
    }
  }
}

function getOperation(operationId: string): UnaryCall<GetOperationResponse__Output> {
  return {
    method: 'GetOperation',
    timeoutMs: TIMEOUT_MS,
    start: (client, options, done) => client.getOperation({ operationId }, options, done),
  };
}

function unknownState(error: unknown, stop: AbortSignal): DeployError<'STATE_UNKNOWN'> {
  const known = stop.aborted ? 'ECANCELED' : isLoss(error) ? lossReason(error) : asDeployError(error).code;
  return new DeployError('STATE_UNKNOWN', { known }, { cause: error });
}
