import { DeployError } from '@sampan/shared/errors.ts';
import { isLoss, lossReason } from '../agents/agent-loss.ts';
import { askCurrentVersion } from './ask-current-version.ts';
import type { HostRun } from './host-run.ts';

/** Whether asking again may end better: what became of the operation is open, its agent is being restarted, or its certificate renewed. */
export function isInconclusive(error: unknown): boolean {
  return isLoss(error) || DeployError.is(error, 'AGENT_DRAINING', 'CERTIFICATE_REFUSED');
}

/** What the caller is to be told of a host whose operation failed, or was lost: never more than is known. */
export async function explainFailure(error: unknown, run: HostRun, isRepeated: boolean): Promise<unknown> {
  if (!run.activateSent) return beforeFlip(error, run);
  const step = run.lastStep === '' ? {} : { step: run.lastStep };
  if (isLoss(error)) return new DeployError('STATE_UNKNOWN', { known: lossReason(error), ...step }, { cause: error });
  if (DeployError.is(error, 'CERTIFICATE_REFUSED')) {
    return new DeployError(
      'STATE_UNKNOWN',
      { known: `${error.code} ${error.params.fault}`, ...step },
      { cause: error },
    );
  }
  if (error === run.stop.abandoned.reason) return new DeployError('STATE_UNKNOWN', { known: 'ECANCELED', ...step });
  if (!isRepeated || !isForgotten(error)) return error;
  const current = await askCurrentVersion(run);
  return new DeployError('STATE_UNKNOWN', { known: error.code, ...step, ...current }, { cause: error });
}

function beforeFlip(error: unknown, run: HostRun): unknown {
  if (!isLoss(error)) return error;
  if (run.stop.cancelled.aborted) return new DeployError('OPERATION_CANCELLED', {}, { cause: error });
  if (!run.contacted) return error;
  return new DeployError('AGENT_LOST', { reason: lossReason(error) }, { cause: error });
}

/** The agent was told to flip, and says now that it does not know, or that it was interrupted and not how that ended. */
function isForgotten(error: unknown): error is DeployError {
  if (DeployError.is(error, 'OPERATION_UNKNOWN', 'AGENT_DRAINING')) return true;
  return DeployError.is(error, 'OPERATION_INTERRUPTED') && error.aftermath === undefined;
}
