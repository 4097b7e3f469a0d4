import { DeployError, systemCode } from '@sampan/shared/errors.ts';

/** A failure that another attempt may not meet. Stays within this folder: what leaves it is `failure`. */
export class Interruption extends Error {
  readonly failure: DeployError;
  /** How long the origin asks to be left alone; undefined where it does not say. */
  readonly retryAfterMs: number | undefined;

  constructor(failure: DeployError, retryAfterMs?: number) {
    super(failure.message, { cause: failure });
    this.name = 'Interruption';
    this.failure = failure;
    this.retryAfterMs = retryAfterMs;
  }
}

const REASONS: Record<string, string> = {
  CONNECT_TIMEOUT: 'connect timed out',
  ANSWER_TIMEOUT: 'no answer in time',
  // Node says this of every connection that ended too early, reset or not.
  ECONNRESET: 'connection closed',
  HPE_INVALID_EOF_STATE: 'connection closed',
};

const PASSING = new Set([
  ...Object.keys(REASONS),
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
]);

/**
 * What kept us from reading from `origin`: an Interruption where it may pass, a DOWNLOAD_CONNECTION where it will not
 * (a name that does not exist, a certificate), the error itself where it is none of the connection's.
 */
export function connectionError(cause: unknown, origin: string): unknown {
  const code = systemCode(cause);
  if (code === undefined || cause instanceof DeployError) return cause;
  const failure = new DeployError('DOWNLOAD_CONNECTION', { origin, reason: REASONS[code] ?? code }, { cause });
  return PASSING.has(code) ? new Interruption(failure) : failure;
}
