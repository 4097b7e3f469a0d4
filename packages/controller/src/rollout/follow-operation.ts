import { setTimeout as delay } from 'node:timers/promises';
import type { AnswerOf, RequestOf } from '@sampan/shared/agent-definition.ts';
import { DeployError } from '@sampan/shared/errors.ts';
import type { ActivateResult__Output } from '@sampan/shared/gen/sampan/agent/v1/ActivateResult.ts';
import type { Progress__Output } from '@sampan/shared/gen/sampan/agent/v1/Progress.ts';
import type { StageResult__Output } from '@sampan/shared/gen/sampan/agent/v1/StageResult.ts';
import { AgentLoss, isLoss } from '../agents/agent-loss.ts';
import { readEvents } from '../agents/read-events.ts';
import { backoffMs } from './backoff.ts';
import { explainFailure, isInconclusive } from './explain-failure.ts';
import { type HostRun, remainingMs } from './host-run.ts';
import type { Attempt } from './rollout-plan.ts';

/** The two calls that a deploy is made of. */
type PhaseName = keyof Results;

export interface Phase<Name extends PhaseName> {
  method: Name;
  request(attempt: Attempt): RequestOf<Name>;
}

interface Results {
  Stage: StageResult__Output;
  Activate: ActivateResult__Output;
}

/**
 * Sends the call and follows it to its result. When the connection breaks, connects again and sends the same request with the
 * same operation id, which joins the call that runs or gets its outcome: for `patienceMs`, or, once the agent may flip, until the deadline.
 * @throws DeployError: the agent's own; AGENT_UNREACHABLE or AGENT_CONNECT_TIMEOUT when it never heard of the operation;
 * AGENT_LOST when nothing can have flipped; STATE_UNKNOWN otherwise.
 */
export async function followOperation<Name extends PhaseName>(
  run: HostRun,
  phase: Phase<Name>,
): Promise<Results[Name]> {
  run.heardAtMs = performance.now();
  for (let attempt = 0; ; attempt += 1) {
    const isRepeated = run.activateSent;
    try {
      return await attemptOnce(run, phase);
    } catch (error) {
      // Silent through a long hook, it has been heard of now: as lost, or as being restarted.
      if (error instanceof AgentLoss || DeployError.is(error, 'AGENT_DRAINING')) run.heardAtMs = performance.now();
      // Said by the first call that was to flip: it has not, and an agent that is restarted takes the next one.
      if (DeployError.is(error, 'AGENT_DRAINING') && !isRepeated) run.activateSent = false;
      const waitMs = backoffMs(attempt);
      const isInTime = performance.now() + waitMs < patientUntilMs(run);
      if (!run.contacted || !isInTime || !isInconclusive(error) || stopOf(run).aborted) {
        throw await explainFailure(error, run, isRepeated);
      }
      run.log.warn({ ...fieldsOf(run, phase), err: error }, 'lost the agent, asking again');
      // Told to stop, the next attempt ends at once and says so.
      await delay(waitMs, undefined, { signal: stopOf(run) }).catch(() => undefined);
    }
  }
}

async function attemptOnce<Name extends PhaseName>(run: HostRun, phase: Phase<Name>): Promise<Results[Name]> {
  const connection = await run.agents.connect(run.host.address, stopOf(run));
  stopOf(run).throwIfAborted();
  const deadlineMs = remainingMs(run);
  if (deadlineMs === 0) throw outOfTime(run);
  let result: Results[Name] | undefined;
  const call = {
    method: phase.method,
    request: phase.request({ operationId: run.operationId, deadlineMs, fence: run.fence }),
    timeoutMs: deadlineMs + run.limits.deadlineSlackMs,
    onStarted: () => {
      run.contacted = true;
      run.activateSent ||= phase.method === 'Activate';
    },
    onEvent: (event: AnswerOf<Name>) => {
      run.heardAtMs = performance.now();
      const { result: told, progress } = event as AnswerOf<PhaseName>;
      if (told) result = told as Results[Name];
      else if (progress) onProgress(run, phase, progress);
    },
  };
  try {
    await readEvents(connection, call, run.stop.abandoned);
  } catch (error) {
    // A connection that broke, or was given up, after the result has taken nothing away from it.
    if (result === undefined || !(isLoss(error) || error === run.stop.abandoned.reason)) throw error;
  }
  if (result === undefined) throw new AgentLoss('EPROTO');
  return result;
}

function onProgress(run: HostRun, phase: { method: string }, progress: Progress__Output): void {
  run.lastStep = progress.step;
  run.log.debug({ ...fieldsOf(run, phase), ...progress }, 'step');
  run.onProgress(progress);
}

function outOfTime(run: HostRun): Error {
  if (run.activateSent) return new AgentLoss('ETIMEDOUT');
  return new DeployError('DEADLINE_EXCEEDED', { seconds: run.limits.timeoutMs / 1000 });
}

function patientUntilMs(run: HostRun): number {
  return run.activateSent ? run.deadlineAtMs : Math.min(run.deadlineAtMs, run.heardAtMs + run.limits.patienceMs);
}

function fieldsOf(run: HostRun, phase: { method: string }) {
  return { operationId: run.operationId, host: run.host.name, phase: phase.method };
}

/** Until the agent may flip, a stop ends the waiting; then only the end of all waiting does. */
function stopOf(run: HostRun): AbortSignal {
  return run.activateSent ? run.stop.abandoned : run.stop.cancelled;
}
