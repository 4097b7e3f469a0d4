/**
 * What can go wrong, as a closed set: each code with the facts that its texts need.
 * Callers branch on the code and never on text; texts are made at the edge (`error-texts.zh.ts`, `error-texts.en.ts`).
 * A code is never renamed and a param never removed: agents one version older still send them.
 */
export interface ErrorParams {
  // The request.
  /** `found` is empty when the field is missing. */
  INVALID_REQUEST: { field: string; found: string; expected: string };
  REQUEST_TOO_LARGE: { maxBytes: number };
  ROUTE_NOT_FOUND: { method: string; path: string };
  METHOD_NOT_ALLOWED: { method: string; path: string; allowed: string };
  ORIGIN_FORBIDDEN: { origin: string; host: string };
  HOST_FORBIDDEN: { host: string };
  CLIENT_FORBIDDEN: { address: string };
  // Tokens of the API.
  TOKEN_MISSING: Record<never, never>;
  /** Never was, or was revoked: which of the two is told to nobody. */
  TOKEN_INVALID: Record<never, never>;
  TOKEN_EXPIRED: { at: string };
  SCOPE_MISSING: { scope: string; granted: string };
  /** `project` is empty where the request means none. */
  PROJECT_FORBIDDEN: { project: string; allowed: string };
  TOO_MANY_FAILURES: { seconds: number };
  /** There are no tokens, and this is none of the documented endpoints. */
  ROUTE_CLOSED: Record<never, never>;
  // Between controller and agent.
  AGENT_UNREACHABLE: { reason: string };
  AGENT_CONNECT_TIMEOUT: { seconds: number };
  AGENT_UNAUTHENTICATED: { reason: string };
  /** One side of the connection does not accept the other's certificate; `detail` has its names, dates and the clock. */
  CERTIFICATE_REFUSED: { whose: 'agent' | 'controller'; fault: CertificateFault; detail: string };
  /** A controller without certificates speaks to agents on its own machine alone. */
  IDENTITY_MISSING: { host: string };
  JOIN_REFUSED: { fault: 'unknown' | 'used' | 'expired' };
  AGENT_UNSUPPORTED: { method: string };
  /** It works on deploys, which an upgrade would interrupt. */
  AGENT_BUSY: { operations: number };
  /** This agent cannot replace itself. */
  UPGRADE_UNAVAILABLE: { reason: string };
  /** What was sent is no package that could be installed here. */
  UPGRADE_REFUSED: { reason: string };
  /** The agent was lost before anything was flipped. */
  AGENT_LOST: { reason: string };
  /** The agent stops: what it was told was not begun, or ended before its flip. */
  AGENT_DRAINING: Record<never, never>;
  CONTROLLER_DRAINING: Record<never, never>;
  /** What was asked for could not be written down, so it was not begun. */
  STORE_UNWRITABLE: { reason: string };
  /** `step` is the last one heard of; `current` the version that the link names now, where it could be asked for. */
  STATE_UNKNOWN: { known: string; step?: string; current?: string };
  DEADLINE_EXCEEDED: { seconds: number };
  OPERATION_CANCELLED: Record<never, never>;
  /** The rollout ended before this host's turn; nothing was flipped here. `failed` hosts, of which `allowed` may be. */
  ROLLOUT_STOPPED: { cause: 'failures' | 'not_staged' | 'cancelled'; failed: number; allowed: number };
  /** This host succeeded, and was taken back with the others. */
  WENT_BACK: { cause: 'failures' | 'not_staged' | 'cancelled'; failed: number; allowed: number };
  ROLLOUT_NOT_FOUND: { id: string };
  /** What was asked of a rollout is not to be had in its state. */
  ROLLOUT_STATE: { state: string; request: string };
  /** The key came before, with another request. */
  IDEMPOTENCY_MISMATCH: { id: string };
  OPERATION_INTERRUPTED: { phase: string };
  OPERATION_UNKNOWN: { operationId: string };
  // The artifact's origin. `proxy`: whom the agent asked in its place (`download.proxy`), as scheme, host and port.
  DOWNLOAD_HTTP_STATUS: { status: number; proxy?: string };
  DOWNLOAD_CONNECTION: { origin: string; reason: string; proxy?: string };
  DOWNLOAD_TIMEOUT: { seconds: number; bytes: number; proxy?: string };
  DOWNLOAD_TRUNCATED: { found: number; expected: number; proxy?: string };
  DOWNLOAD_CHANGED: { found: string; expected: string };
  DOWNLOAD_NOT_ALLOWED: { origin: string };
  DOWNLOAD_REDIRECTS: { max: number };
  DOWNLOAD_LIMIT: { max: number };
  CHECKSUM_MISMATCH: { algorithm: 'sha256' | 'md5'; found: string; expected: string };
  // The archive.
  ARCHIVE_CORRUPT: { reason: string };
  ARCHIVE_ENTRY_REFUSED: { entry: string; reason: EntryRefusal; detail?: string };
  ARCHIVE_LIMIT: { limit: string; max: number; entry?: string };
  // The disk.
  DISK_FULL: { path: string; neededBytes?: number; freeBytes?: number };
  INODES_EXHAUSTED: { path: string };
  DISK_ERROR: { path: string; operation: string; reason: string };
  // Links and releases.
  LINK_HELD: { project: string; release: string; operationId: string; since: string };
  /** The lock under which it was given has passed to somebody else, who was obeyed since. */
  COMMAND_OUTDATED: { number: number; obeyed: number; operationId: string };
  BASE_HELD: { base: string; holder: string };
  LINK_MOVED: { link: string; found: string; expected: string };
  LINK_NOT_A_SYMLINK: { link: string };
  NOT_DEPLOYED: { link: string };
  RELEASE_MISSING: { link: string; target: string };
  RELEASE_NOT_FOUND: { version: string; available: string };
  /** `difference`: the first entry that is missing, or something else than it was. */
  RELEASE_CHANGED: { release: string; difference: string };
  /** A release of the service before Sampan that is not surely whole, or not this link's. `detail` says what was found. */
  OLD_RELEASE_REFUSED: { release: string; reason: OldReleaseRefusal; detail: string };
  // Commands of the host's owner.
  HOOK_FAILED: { hook: string; ending: string; output: string };
  RELOAD_FAILED: { ending: string; output: string };
  // Supervisor.
  SUPERVISOR_UNAVAILABLE: { reason: string };
  PROGRAM_UNKNOWN: { program: string };
  PROGRAM_CONFIG_REFUSED: { where: string; found: string; expected: string };
  PROGRAM_CONFIG_REJECTED: { reason: string };
  OS_MISMATCH: { found: string; expected: string };
  RESTART_FAILED: { program: string; state: string; output: string };
  /** `check` names it, such as `http http://127.0.0.1:8080/healthz`; `found` is what the last attempt found. */
  HEALTH_CHECK_FAILED: { check: string; attempts: number; found: string; expected: string };
  PROGRAM_RUNS_OTHER_RELEASE: { program: string; found: string; expected: string };
  // Logs.
  LOG_NOT_FOUND: { path: string };
  LOG_REFUSED: { path: string; found: string };
  INTERNAL: Record<never, never>;
}

export type ErrorCode = keyof ErrorParams;

/** Why a release of the service before Sampan is not used. */
export type OldReleaseRefusal = 'no_archive' | 'archive_unreadable' | 'differs' | 'cut_short' | 'of_other_link';

/** Why an entry of an archive is not unpacked. */
export type EntryRefusal =
  | 'path_outside'
  | 'path_absolute'
  | 'path_invalid'
  | 'path_through_link'
  | 'link_outside'
  | 'link_absolute'
  | 'type';

/** Why a certificate is not accepted. */
export type CertificateFault =
  | 'missing'
  | 'expired'
  | 'not_yet_valid'
  | 'revoked'
  | 'untrusted'
  | 'wrong_role'
  | 'other_host'
  | 'no_tls';

/** What a host looks like after a failure past the flip. Versions are as people know them; null: none. */
export interface Aftermath {
  /** The version that the link names now. */
  current: string | null;
  /** Whether the previous link was put back. */
  reverted: boolean;
  /** Why it could not be put back or restarted, as code and params; absent when all went well. */
  revertError?: WireError | undefined;
}

/** An error as it travels in gRPC metadata and in the journal. */
export interface WireError {
  code: string;
  params: Record<string, unknown>;
  aftermath?: Aftermath | undefined;
}

/** The one error of Sampan. `code` says what happened, `params` on what; the system's error stays as `cause`. */
export class DeployError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  readonly params: ErrorParams[C];
  readonly aftermath: Aftermath | undefined;

  constructor(code: C, params: ErrorParams[C], more: { cause?: unknown; aftermath?: Aftermath | undefined } = {}) {
    super(`${code} ${JSON.stringify(params)}`, more.cause === undefined ? {} : { cause: more.cause });
    this.name = 'DeployError';
    this.code = code;
    this.params = params;
    this.aftermath = more.aftermath;
  }

  /** Whether `error` is a DeployError of one of these codes; with no codes, of any. */
  static is<K extends ErrorCode>(error: unknown, ...codes: K[]): error is DeployError<K> {
    if (!(error instanceof DeployError)) return false;
    return codes.length === 0 || codes.some((code) => code === error.code);
  }

  /** The same failure, with what the host looks like after it. */
  withAftermath(aftermath: Aftermath): DeployError<C> {
    return new DeployError(this.code, this.params, { cause: this.cause, aftermath });
  }
}

/** `error` itself when it is one of ours, else INTERNAL with `error` as its cause. */
export function asDeployError(error: unknown): DeployError {
  return error instanceof DeployError ? error : new DeployError('INTERNAL', {}, { cause: error });
}

/** The `code` of a Node system error (`ENOENT`), or undefined for any other value. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
