import { DeployError, systemCode } from '@sampan/shared/errors.ts';

/** Who a download is read from: scheme, host and port, after all redirects, and the proxy in between where there is one. */
export interface Source {
  origin: string;
  proxy?: string;
}

/** What errors add to say which way it was. */
export function viaOf({ proxy }: Source): { proxy?: string } {
  return proxy === undefined ? {} : { proxy };
}

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
  // Without a status: it answered nothing.
  ERR_PROXY_TUNNEL: 'connection closed',
};

/** What a server says that may have passed a moment later. */
export const PASSING_STATUS = new Set([408, 429, 500, 502, 503, 504]);

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
 * What kept us from reading from `source`: an Interruption where it may pass, a DOWNLOAD_CONNECTION where it will not
 * (a name that does not exist, a certificate), the error itself where it is none of the connection's.
 */
export function connectionError(cause: unknown, source: Source): unknown {
  const code = systemCode(cause);
  if (code === undefined || cause instanceof DeployError) return cause;
  const status = refusedTunnel(cause);
  const reason = status === undefined ? (REASONS[code] ?? code) : `the proxy opens no tunnel: HTTP ${status}`;
  const failure = new DeployError('DOWNLOAD_CONNECTION', { ...source, reason }, { cause });
  const isPassing = status === undefined ? PASSING.has(code) : PASSING_STATUS.has(status);
  return isPassing ? new Interruption(failure) : failure;
}

/** What a proxy answered that was asked for the way to an https origin. */
function refusedTunnel(error: unknown): number | undefined {
  if (systemCode(error) !== 'ERR_PROXY_TUNNEL' || !(error instanceof Error && 'statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}
