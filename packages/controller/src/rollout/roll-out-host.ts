import { DeployError } from '@sampan/shared/errors.ts';
import type { ActivateResult__Output } from '@sampan/shared/gen/sampan/agent/v1/ActivateResult.ts';
import type { StageResult__Output } from '@sampan/shared/gen/sampan/agent/v1/StageResult.ts';
import { cancelAtAgent } from './cancel-at-agent.ts';
import { followOperation } from './follow-operation.ts';
import { type HostRun, remainingMs } from './host-run.ts';
import { activateRequest, type DeployPlan, goBackRequest, stageRequest } from './rollout-plan.ts';

/**
 * Makes the release present on one host. Resolves when the agent has said that it is.
 * @throws DeployError: the agent's own; or that it was not reached; or AGENT_LOST, nothing flipped.
 */
export function stageOnHost(run: HostRun, plan: DeployPlan): Promise<StageResult__Output> {
  return followOperation(run, {
    method: 'Stage',
    request: (attempt) => stageRequest(plan, attempt, run.holdMs),
  });
}

/**
 * Makes it current. Where it is not its turn in time, the agent is told to let go of the link; undefined where `begin`, asked
 * when it is, says no.
 * @throws DeployError: the agent's own; or AGENT_LOST, nothing flipped; or STATE_UNKNOWN.
 */
export async function activateOrLetGo(
  run: HostRun,
  release: string,
  begin: () => boolean,
): Promise<ActivateResult__Output | undefined> {
  const activate = () =>
    followOperation(run, {
      method: 'Activate',
      request: (attempt) => activateRequest(run.plan, attempt, release),
    });
  try {
    return await whenItMayRestart(run, async () => (begin() ? await activate() : undefined));
  } catch (error) {
    if (!run.activateSent && !run.stop.cancelled.aborted) await cancelAtAgent(run);
    throw error;
  }
}

/** Makes `release`, which was current before, current again. @throws as `activateOrLetGo` does. */
export async function activateBefore(run: HostRun, release: string): Promise<ActivateResult__Output> {
  return await whenItMayRestart(run, () =>
    followOperation(run, {
      method: 'Activate',
      request: (attempt) => goBackRequest(run.plan, attempt, release),
    }),
  );
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
