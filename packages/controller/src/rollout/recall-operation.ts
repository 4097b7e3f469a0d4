import { setTimeout as delay } from 'node:timers/promises';
import { asDeployError, DeployError } from '@sampan/shared/errors.ts';
import { isLoss, lossReason } from '../agents/agent-loss.ts';
import { callAgent } from '../agents/call-agent.ts';
import type { AgentCall } from '../agents/start-call.ts';
import type { Fleet } from '../fleet.ts';
import type { Fence } from '../store/link-locks.ts';
import { backoffMs } from './backoff.ts';
import type { HostRun } from './host-run.ts';
import type { Host, Target } from './rollout-plan.ts';

const TIMEOUT_MS = 5_000;

/** Which operation on which host, and under which lock this controller carries on with it. */
export interface Recalled {
  operationId: string;
  host: Host;
  target: Target;
  fence: Fence | null;
  /** The number of the lock that it was begun under, where that is known. */
  formerFence: number | undefined;
  /** How long an agent that cannot be reached is waited for; without it, as long as a host may take. */
  patienceMs?: number;
}

/**
 * Asks an agent how far an operation had come that a controller had begun before it died. From then on the agent obeys that one no
 * more, should it live after all. An agent that cannot be reached is waited for, since it alone can tell.
 * @throws DeployError COMMAND_OUTDATED: something else was done on the link since; STATE_UNKNOWN: it could not be asked, or `stop` was
 * aborted first.
 */
export async function recallOperation(
  fleet: Fleet,
  recalled: Recalled,
  stop: AbortSignal,
): Promise<Pick<HostRun, 'contacted' | 'activateSent'>> {
  const { operationId, host, patienceMs = fleet.limits.timeoutMs } = recalled;
  const untilMs = performance.now() + patienceMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const connection = await fleet.agents.connect(host.address, stop);
      const { activate } = await callAgent(connection, getOperation(recalled), stop);
      return { contacted: true, activateSent: activate !== '' };
    } catch (error) {
      if (DeployError.is(error, 'COMMAND_OUTDATED')) throw error;
      // It keeps its last thousand operations: one that it does not know never reached it.
      if (DeployError.is(error, 'OPERATION_UNKNOWN')) return { contacted: false, activateSent: false };
      const waitMs = backoffMs(attempt);
      if (stop.aborted || !isLoss(error) || performance.now() + waitMs > untilMs) throw unknownState(error, stop);
      fleet.log.warn({ operationId, host: host.name, err: error }, 'cannot ask the agent yet');
      await delay(waitMs, undefined, { signal: stop }).catch(() => undefined);
    }
  }
}

function getOperation({ operationId, target, fence, formerFence = 0 }: Recalled): AgentCall<'GetOperation'> {
  return {
    method: 'GetOperation',
    request: { operationId, ...(fence ? { target, fence, formerFence } : {}) },
    timeoutMs: TIMEOUT_MS,
  };
}

function unknownState(error: unknown, stop: AbortSignal): DeployError<'STATE_UNKNOWN'> {
  const known = stop.aborted ? 'ECANCELED' : isLoss(error) ? lossReason(error) : asDeployError(error).code;
  return new DeployError('STATE_UNKNOWN', { known }, { cause: error });
}
