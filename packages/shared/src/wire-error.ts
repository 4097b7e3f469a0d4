import { Metadata, type ServiceError, status as Status } from '@grpc/grpc-js';
import { zhTexts } from './error-texts.zh.ts';
import { asDeployError, DeployError, type ErrorCode, type ErrorParams } from './errors.ts';
import { toWire } from './to-wire.ts';
import { wireErrorSchema } from './wire-error-schema.ts';

// In a file of its own, so that a short-lived child process can use it without loading gRPC.
export { toWire };

/** The metadata key that carries an error's code and params (see agent.proto). */
export const ERROR_KEY = 'sampan-error-bin';

/** The error that a peer meant. A code from a newer version becomes INTERNAL that carries what was sent as its cause. */
export function fromWire(value: unknown): DeployError {
  const parsed = wireErrorSchema.safeParse(value);
  if (!parsed.success || !isErrorCode(parsed.data.code)) {
    return new DeployError('INTERNAL', {}, { cause: value });
  }
  const { code, params, aftermath } = parsed.data;
  // A peer of ours wrote these params from the same table; a text that misses one prints "undefined" and breaks nothing.
  return new DeployError(code, params as unknown as ErrorParams[ErrorCode], { aftermath });
}

/** What a gRPC handler ends its call with. */
export function toServiceError(error: unknown): { code: Status; details: string; metadata: Metadata } {
  const known = asDeployError(error);
  const metadata = new Metadata();
  metadata.set(ERROR_KEY, Buffer.from(JSON.stringify(toWire(known))));
  return { code: statusOf(known), details: known.code, metadata };
}

/** The DeployError inside a gRPC failure, or undefined when the peer did not send one (the transport failed). */
export function fromServiceError(error: ServiceError): DeployError | undefined {
  const [carried] = error.metadata?.get(ERROR_KEY) ?? [];
  if (!Buffer.isBuffer(carried)) return undefined;
  try {
    return fromWire(JSON.parse(carried.toString('utf8')));
  } catch (cause) {
    return new DeployError('INTERNAL', {}, { cause });
  }
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(zhTexts, code);
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
