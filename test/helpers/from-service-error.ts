import type { ServiceError } from '@grpc/grpc-js';
import type { DeployError } from '@sampan/shared/errors.ts';
import { ERROR_KEY, fromCarried } from '@sampan/shared/wire-error.ts';

/** The DeployError inside a gRPC failure, or undefined when the peer did not send one (the transport failed). */
export function fromServiceError(error: ServiceError): DeployError | undefined {
  const [carried] = error.metadata?.get(ERROR_KEY) ?? [];
  return Buffer.isBuffer(carried) ? fromCarried(carried) : undefined;
}
