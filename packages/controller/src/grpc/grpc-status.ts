/** How a call ended, by number. Source: https://grpc.io/docs/guides/status-codes/ */
export const GrpcStatus = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type StatusName = keyof typeof GrpcStatus;

const names = new Map(Object.entries(GrpcStatus).map(([name, code]) => [`${code}`, name as StatusName]));

/** Of the number as it travels; UNKNOWN for what gRPC does not know. */
export function statusName(code: string): StatusName {
  return names.get(code) ?? 'UNKNOWN';
}

/** A call that did not succeed. */
export class GrpcFailure extends Error {
  override readonly name = 'GrpcFailure';
  readonly status: StatusName;
  /** What the other side, or this one, says of it; may be empty. */
  readonly details: string;
  /** The headers that came with the status; empty where none came. */
  readonly metadata: Readonly<Record<string, unknown>>;

  constructor(
    status: StatusName,
    details: string,
    { metadata = {}, cause }: { metadata?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(details === '' ? status : `${status}: ${details}`, { cause });
    this.status = status;
    this.details = details;
    this.metadata = metadata;
  }
}
