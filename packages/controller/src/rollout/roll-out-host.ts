import { DeployError } from '@sampan/shared/errors.ts';
import type { ActivateResult__Output } from '@sampan/shared/gen/sampan/agent/v1/ActivateResult.ts';
import type { StageResult__Output } from '@sampan/shared/gen/sampan/agent/v1/StageResult.ts';
import { cancelAtAgent, cancelOnceBack } from './cancel-at-agent.ts';
import { followOperation } from './follow-operation.ts';
import { type HostRun, remainingMs } from './host-run.ts';
import { activateRequest, type DeployPlan, stageRequest } from './rollout-plan.ts';

/**
 * Deploys to, or rolls back, one host. Resolves when the agent has said that it is done.
 * @throws DeployError: the agent's own; or that it was not reached; or AGENT_LOST, nothing flipped; or STATE_UNKNOWN.
 */
export async function rollOutHost(run: HostRun): Promise<ActivateResult__Output> {
  const onCancel = () => void cancelAtAgent(run);
  run.stop.cancelled.addEventListener('abort', onCancel, { once: true });
  try {
    const release = run.plan.operation === 'deploy' ? (await stage(run, run.plan)).release : '';
    return await activateOrLetGo(run, release);
  } catch (error) {
    if (DeployError.is(error, 'AGENT_LOST')) void cancelOnceBack(run);
    throw error;
  } finally {
    run.stop.cancelled.removeEventListener('abort', onCancel);
  }
}

/**
 * Ends, where it had not flipped, the operation of a host that is not to be worked on any more.
 * @throws DeployError OPERATION_CANCELLED, always.
 */
export async function closeHost(run: HostRun): Promise<never> {
  await cancelAtAgent(run);
  throw new DeployError('OPERATION_CANCELLED', {});
}

function stage(run: HostRun, plan: DeployPlan): Promise<StageResult__Output> {
  return followOperation(run, {
    method: 'Stage',
    start: (client, attempt, options) => client.stage(stageRequest(plan, attempt, run.holdMs), options),
  });
}

function activate(run: HostRun, release: string): Promise<ActivateResult__Output> {
  return followOperation(run, {
    method: 'Activate',
    start: (client, attempt, options) => client.activate(activateRequest(run.plan, attempt, release), options),
  });
}

/** A staged release holds its link: when it is not to be activated after all, the agent is told to let go of it. */
async function activateOrLetGo(run: HostRun, release: string): Promise<ActivateResult__Output> {
  try {
    return await whenItMayRestart(run, () => activate(run, release));
  } catch (error) {
    if (!run.activateSent && !run.stop.cancelled.aborted) await cancelAtAgent(run);
    throw error;
  }
}

async function whenItMayRestart<T>(run: HostRun, work: () => Promise<T>): Promise<T> {
  // Told before to activate, an agent restarts, whoever waits here.
  if (!run.plan.restart || run.activateSent) return await work();
  const timeout = AbortSignal.timeout(remainingMs(run));
  try {
    return await run.restartSlots.run(work, AbortSignal.any([run.stop.cancelled, timeout]));
  } catch (error) {
    if (error !== timeout.reason) throw error;
    throw new DeployError('DEADLINE_EXCEEDED', { seconds: run.limits.timeoutMs / 1000 }, { cause: error });
  }
}
