import { setTimeout as delay } from 'node:timers/promises';
import { isLoss } from '../agents/agent-loss.ts';
import { callAgent } from '../agents/call-agent.ts';
import type { AgentCall } from '../agents/start-call.ts';
import { backoffMs } from './backoff.ts';
import type { HostRun } from './host-run.ts';

const TIMEOUT_MS = 5_000;

/**
 * Asks the agent to end the operation before its flip, and so to let go of the link. Never throws: the outcome comes as the
 * end of the call that runs, and an agent that cannot be reached lets go when its hold runs out.
 */
export async function cancelAtAgent(run: HostRun): Promise<void> {
  if (!run.contacted) return;
  const failure = await askToCancel(run);
  if (failure) run.log.warn({ ...fieldsOf(run), err: failure.cause }, 'operation not cancelled at the agent');
}

/**
 * The same of an agent that was lost, as soon as it is back: what was begun there holds the link, and whoever was told that
 * it failed will try again. Gives up when the hold has run out, or the controller stops. Never throws.
 */
export async function cancelOnceBack(run: HostRun): Promise<void> {
  const heldUntilMs = run.deadlineAtMs + run.holdMs;
  for (let attempt = 0; performance.now() < heldUntilMs && !run.stop.cancelled.aborted; attempt += 1) {
    const failure = await askToCancel(run);
    if (!isLoss(failure?.cause)) return;
    await delay(backoffMs(attempt), undefined, { signal: run.stop.cancelled, ref: false }).catch(() => undefined);
  }
}

/** Why it could not be asked; undefined where it could. */
async function askToCancel(run: HostRun): Promise<{ cause: unknown } | undefined> {
  try {
    const connection = await run.agents.connect(run.host.address, run.stop.abandoned);
    const { outcome } = await callAgent(connection, cancelCall(run), run.stop.abandoned);
    run.log.info({ ...fieldsOf(run), outcome }, 'operation cancelled at the agent');
    return undefined;
  } catch (cause) {
    return { cause };
  }
}

function fieldsOf(run: HostRun) {
  return { operationId: run.operationId, host: run.host.name };
}

function cancelCall({ operationId, fence }: HostRun): AgentCall<'CancelOperation'> {
  return {
    method: 'CancelOperation',
    request: { operationId, ...(fence ? { fence } : {}) },
    timeoutMs: TIMEOUT_MS,
  };
}
