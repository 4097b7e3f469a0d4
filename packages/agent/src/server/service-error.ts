import { Metadata, status as Status } from '@grpc/grpc-js';
import { asDeployError, DeployError } from '@sampan/shared/errors.ts';
import { ERROR_KEY, toWire } from '@sampan/shared/wire-error.ts';

/** What a gRPC handler ends its call with. */
export function toServiceError(error: unknown): { code: Status; details: string; metadata: Metadata } {
  const known = asDeployError(error);
  const metadata = new Metadata();
  metadata.set(ERROR_KEY, Buffer.from(JSON.stringify(toWire(known))));
  return { code: statusOf(known), details: known.code, metadata };
}

function statusOf(error: DeployError): Status {
  if (DeployError.is(error, 'CERTIFICATE_REFUSED')) {
    return error.params.fault === 'wrong_role' ? Status.PERMISSION_DENIED : Status.UNAUTHENTICATED;
  }
  switch (error.code) {
    case 'INVALID_REQUEST':
      return Status.INVALID_ARGUMENT;
    case 'AGENT_DRAINING':
    case 'AGENT_BUSY':
      return Status.UNAVAILABLE;
    case 'OPERATION_UNKNOWN':
    case 'NOT_DEPLOYED':
    case 'RELEASE_NOT_FOUND':
    case 'LOG_NOT_FOUND':
      return Status.NOT_FOUND;
    case 'DEADLINE_EXCEEDED':
      return Status.DEADLINE_EXCEEDED;
    case 'OPERATION_CANCELLED':
      return Status.CANCELLED;
    case 'DISK_FULL':
    case 'INODES_EXHAUSTED':
      return Status.RESOURCE_EXHAUSTED;
    case 'INTERNAL':
      return Status.INTERNAL;
    default:
      return Status.FAILED_PRECONDITION;
  }
}
