import { DeployError } from '@sampan/shared/errors.ts';
import { ERROR_KEY, fromCarried } from '@sampan/shared/wire-error.ts';
import type { GrpcFailure } from '../grpc/grpc-status.ts';

/** The connection broke during a call: what the agent made of the call is not known. */
export class AgentLoss extends Error {
  override readonly name = 'AgentLoss';
  readonly reason: string;

  constructor(reason: string, cause?: unknown) {
    super(`lost the agent: ${reason}`, { cause });
    this.reason = reason;
  }
}

/** What a failed call means: the agent's own error where it sent one, else what the transport's status stands for. */
export function agentError(
  failure: GrpcFailure,
  { method, timeoutMs }: { method: string; timeoutMs: number },
): DeployError | AgentLoss {
  const carried = failure.metadata[ERROR_KEY];
  if (typeof carried === 'string') return fromCarried(Buffer.from(carried, 'base64'));
  switch (failure.status) {
    case 'UNIMPLEMENTED':
      return new DeployError('AGENT_UNSUPPORTED', { method }, { cause: failure });
    case 'UNAUTHENTICATED':
    case 'PERMISSION_DENIED':
      return new DeployError('AGENT_UNAUTHENTICATED', { reason: failure.details }, { cause: failure });
    case 'DEADLINE_EXCEEDED':
      return new DeployError('AGENT_CONNECT_TIMEOUT', { seconds: timeoutMs / 1000 }, { cause: failure });
    case 'RESOURCE_EXHAUSTED':
      // A message that is too big: asking again brings the same.
      return new DeployError('INTERNAL', {}, { cause: failure });
    default:
      return new AgentLoss(failure.status, failure);
  }
}

export type Loss = AgentLoss | DeployError<'AGENT_UNREACHABLE' | 'AGENT_CONNECT_TIMEOUT'>;

/** Whether asking again, over a new connection, may tell more. */
export function isLoss(error: unknown): error is Loss {
  return error instanceof AgentLoss || DeployError.is(error, 'AGENT_UNREACHABLE', 'AGENT_CONNECT_TIMEOUT');
}

/** Why it was lost, as short as the errors' `reason` params want it. */
export function lossReason(error: Loss): string {
  if (error instanceof AgentLoss) return error.reason;
  return 'reason' in error.params ? error.params.reason : 'ETIMEDOUT';
}
