import { type ServiceError, status as Status } from '@grpc/grpc-js';
import { DeployError } from '@sampan/shared/errors.ts';
import { fromServiceError } from '@sampan/shared/wire-error.ts';

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
  error: ServiceError,
  { method, timeoutMs }: { method: string; timeoutMs: number },
): DeployError | AgentLoss {
  const carried = fromServiceError(error);
  if (carried) return carried;
  switch (error.code) {
    case Status.UNIMPLEMENTED:
      return new DeployError('AGENT_UNSUPPORTED', { method }, { cause: error });
    case Status.UNAUTHENTICATED:
    case Status.PERMISSION_DENIED:
      return new DeployError('AGENT_UNAUTHENTICATED', { reason: error.details }, { cause: error });
    case Status.DEADLINE_EXCEEDED:
      return new DeployError('AGENT_CONNECT_TIMEOUT', { seconds: timeoutMs / 1000 }, { cause: error });
    case Status.RESOURCE_EXHAUSTED:
      // A message over grpc-js's receive limit: asking again brings the same.
      return new DeployError('INTERNAL', {}, { cause: error });
    default:
      return new AgentLoss(Status[error.code] ?? 'UNKNOWN', error);
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
