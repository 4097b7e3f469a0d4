import type { Aftermath, CertificateFault, EntryRefusal, ErrorCode, ErrorParams, OldReleaseRefusal } from './errors.ts';
import { formatBytes } from './format-bytes.ts';

/** The English text of every code, as logs and people at a terminal read it. */
export const enTexts: { [C in ErrorCode]: (params: ErrorParams[C]) => string } = {
  INVALID_REQUEST: ({ field, found, expected }) =>
    found === ''
      ? `bad request: ${field} is missing, expected ${expected}`
      : `bad request: ${field} is ${found}, expected ${expected}`,
  REQUEST_TOO_LARGE: ({ maxBytes }) => `request too large: at most ${formatBytes(maxBytes)}`,
  ROUTE_NOT_FOUND: ({ method, path }) => `no such route: ${method} ${path}`,
  METHOD_NOT_ALLOWED: ({ method, path, allowed }) => `wrong method: ${path} got ${method}, expected ${allowed}`,
  ORIGIN_FORBIDDEN: ({ origin, host }) => `forbidden: Origin is ${origin}, expected a page of ${host}`,
  HOST_FORBIDDEN: ({ host }) =>
    `forbidden: Host is ${host}, expected an IP address, localhost, or a name listed in public_hosts`,
  CLIENT_FORBIDDEN: ({ address }) => `forbidden: the client ${address} is not in auth.allow_ips`,
  TOKEN_MISSING: () => 'a token is missing: send it as Authorization: Bearer, or as APP_TOKEN',
  TOKEN_INVALID: () => 'the token is not valid: there is none such, or it was revoked',
  TOKEN_EXPIRED: ({ at }) => `the token has expired: it was valid until ${at}`,
  SCOPE_MISSING: ({ scope, granted }) => `the token may not do this: it needs ${scope}, and has ${granted}`,
  PROJECT_FORBIDDEN: ({ project, allowed }) =>
    `the token is for the projects ${allowed} only, and this ${project === '' ? 'is about no single one' : `is about ${project}`}`,
  TOO_MANY_FAILURES: ({ seconds }) => `too many failures to authenticate: try again in ${seconds} s`,
  ROUTE_CLOSED: () =>
    'forbidden: there are no tokens (auth.tokens: off), so only the five documented endpoints are open',
  AGENT_UNREACHABLE: ({ reason }) => `cannot connect to the agent: ${reason}`,
  AGENT_CONNECT_TIMEOUT: ({ seconds }) => `cannot connect to the agent: no answer within ${seconds} s`,
  AGENT_UNAUTHENTICATED: ({ reason }) => `the agent refused us: ${reason}`,
  CERTIFICATE_REFUSED: ({ whose, fault, detail }) =>
    `the ${whose}'s certificate was refused: ${certificateFaults[fault]}${detail ? ` (${detail})` : ''}`,
  IDENTITY_MISSING: ({ host }) =>
    `the controller has no certificates, so it speaks to no other machine than its own, not to ${host}: run sampan-controller init`,
  JOIN_REFUSED: ({ fault }) => `cannot join: ${joinFaults[fault]}`,
  AGENT_UNSUPPORTED: ({ method }) => `the agent is too old for ${method}; upgrade it`,
  AGENT_BUSY: ({ operations }) => `the agent works on ${operations} deploys; try again when they have ended`,
  UPGRADE_UNAVAILABLE: ({ reason }) => `the agent cannot upgrade itself: ${reason}`,
  UPGRADE_REFUSED: ({ reason }) => `the agent refused the package: ${reason}`,
  AGENT_LOST: ({ reason }) => `lost the agent: ${reason}; the link was not flipped`,
  AGENT_DRAINING: () => 'the agent is stopping; the link was not flipped',
  CONTROLLER_DRAINING: () => 'the controller is stopping and takes no new request',
  STORE_UNWRITABLE: ({ reason }) => `cannot write down the operation: ${reason}; it was not begun, no host was touched`,
  STATE_UNKNOWN: ({ known, step, current }) =>
    `state unknown: ${known}${step ? `; the last step heard of is ${step}` : ''}${current ? `; current is ${current}` : ''}`,
  DEADLINE_EXCEEDED: ({ seconds }) => `not done within ${seconds} s`,
  OPERATION_CANCELLED: () => 'cancelled; the link was not flipped',
  ROLLOUT_STOPPED: (params) => `not begun: ${stopCause(params)}; the link was not flipped`,
  WENT_BACK: (params) => `taken back with the others: ${stopCause(params)}`,
  ROLLOUT_NOT_FOUND: ({ id }) => `there is no rollout ${id}`,
  ROLLOUT_STATE: ({ state, request }) => `cannot ${request} a rollout that is ${state}`,
  IDEMPOTENCY_MISMATCH: ({ id }) => `this Idempotency-Key came before with another request, which is rollout ${id}`,
  OPERATION_INTERRUPTED: ({ phase }) => `interrupted: the agent restarted during ${phase}`,
  OPERATION_UNKNOWN: ({ operationId }) => `state unknown: the agent has no record of operation ${operationId}`,
  DOWNLOAD_HTTP_STATUS: ({ status, proxy }) => `download failed: HTTP ${status}${via(proxy)}`,
  DOWNLOAD_CONNECTION: ({ origin, reason, proxy }) =>
    `download failed: cannot read from ${origin} (${reason})${via(proxy)}`,
  DOWNLOAD_TIMEOUT: ({ seconds, bytes, proxy }) =>
    `download failed: not done within ${seconds} s, got ${formatBytes(bytes)}${via(proxy)}`,
  DOWNLOAD_TRUNCATED: ({ found, expected, proxy }) =>
    `download failed: truncated, got ${found} bytes of ${expected}${via(proxy)}`,
  DOWNLOAD_CHANGED: ({ found, expected }) =>
    `download failed: the file changed meanwhile, ETag ${found}, expected ${expected}`,
  DOWNLOAD_NOT_ALLOWED: ({ origin }) => `download failed: ${origin} is not in download.allow`,
  DOWNLOAD_REDIRECTS: ({ max }) => `download failed: more than ${max} redirects`,
  DOWNLOAD_LIMIT: ({ max }) => `download failed: larger than ${formatBytes(max)} (download.max_bytes)`,
  CHECKSUM_MISMATCH: ({ algorithm, found, expected }) =>
    `checksum mismatch: ${algorithm} is ${found}, expected ${expected}`,
  ARCHIVE_CORRUPT: ({ reason }) => `unpacking failed: the archive is corrupt (${reason})`,
  ARCHIVE_ENTRY_REFUSED: ({ entry, reason, detail }) =>
    `unpacking failed: entry ${entry} refused: ${refusals[reason]}${detail ? ` (${detail})` : ''}`,
  ARCHIVE_LIMIT: ({ limit, max, entry }) =>
    `unpacking failed: over the limit ${limit} = ${max}${entry ? ` (entry ${entry})` : ''}`,
  DISK_FULL: ({ path, neededBytes, freeBytes }) =>
    neededBytes === undefined || freeBytes === undefined
      ? `disk full: ${path}`
      : `disk full: ${path} needs ${formatBytes(neededBytes)}, has ${formatBytes(freeBytes)}`,
  INODES_EXHAUSTED: ({ path }) => `out of inodes: ${path}`,
  DISK_ERROR: ({ path, operation, reason }) => `disk error: ${operation} ${path} (${reason})`,
  LINK_HELD: ({ project, release, operationId, since }) =>
    `the link is held: ${project} works on ${release} (${operationId}, since ${since})`,
  COMMAND_OUTDATED: ({ number, obeyed, operationId }) =>
    `out of date: the lock has passed to operation ${operationId} (fence ${number}, obeyed is ${obeyed}); the link was not flipped`,
  BASE_HELD: ({ base, holder }) => `another agent works on ${base} (${holder}); a base belongs to one agent`,
  LINK_MOVED: ({ link, found, expected }) =>
    `link ${link} was changed meanwhile: points at ${found}, expected ${expected}`,
  LINK_NOT_A_SYMLINK: ({ link }) => `${link} exists and is not a symlink; move it away first`,
  NOT_DEPLOYED: ({ link }) => `never deployed: there is no link ${link}`,
  RELEASE_MISSING: ({ link, target }) => `link ${link} points at ${target}, which does not exist`,
  RELEASE_NOT_FOUND: ({ version, available }) =>
    `no such release: ${version}; ${available === '' ? 'there is none to go back to' : `there are: ${available}`}`,
  RELEASE_CHANGED: ({ release, difference }) =>
    `release ${release} was changed since it was deployed: ${difference}; deploy it again`,
  OLD_RELEASE_REFUSED: ({ release, reason, detail }) =>
    `release ${release} of the old service cannot be used: ${oldRefusals[reason]}: ${detail}; deploy it again`,
  HOOK_FAILED: ({ hook, ending, output }) => `hook ${hook} failed: ${ending}${lastLines(output)}`,
  RELOAD_FAILED: ({ ending, output }) => `reload failed: ${ending}${lastLines(output)}`,
  SUPERVISOR_UNAVAILABLE: ({ reason }) => `supervisor does not answer: ${reason}`,
  PROGRAM_UNKNOWN: ({ program }) => `restart failed: supervisor has no program ${program}; call init_deploy first`,
  PROGRAM_CONFIG_REFUSED: ({ where, found, expected }) =>
    `supervisor config refused: ${where} is ${found}, expected ${expected}`,
  PROGRAM_CONFIG_REJECTED: ({ reason }) => `supervisor rejected the config, the old file is back: ${reason}`,
  OS_MISMATCH: ({ found, expected }) => `os_system is ${found}, but the host is ${expected}`,
  RESTART_FAILED: ({ program, state, output }) => `restart failed: ${program} is ${state}${lastLines(output)}`,
  HEALTH_CHECK_FAILED: ({ check, attempts, found, expected }) =>
    `health check failed: ${check} gave ${found}, expected ${expected} (${attempts} attempts)`,
  PROGRAM_RUNS_OTHER_RELEASE: ({ program, found, expected }) =>
    `restart failed: ${program} runs ${found}, expected ${expected}`,
  LOG_NOT_FOUND: ({ path }) => `no such log file: ${path}`,
  LOG_REFUSED: ({ path, found }) => `cannot read ${path}: it is ${found}, expected a regular file`,
  INTERNAL: () => 'internal error, see the log',
};

/** What follows the text of a failure past the flip: what is current now. */
export function enAftermath({ current, reverted, revertError }: Aftermath, textOf: (error: unknown) => string): string {
  const now = current === null ? 'nothing is current' : `current is ${current}`;
  const how = reverted ? 'went back' : 'did not go back';
  return `; ${how}, ${now}${revertError ? `, going back failed: ${textOf(revertError)}` : ''}`;
}

const certificateFaults: Record<CertificateFault, string> = {
  missing: 'there is none',
  expired: 'it has expired',
  not_yet_valid: 'it is not valid yet; is the clock right?',
  revoked: 'it has been revoked',
  untrusted: 'our CA has not signed it',
  wrong_role: 'it is for another role',
  other_host: 'it belongs to another host',
  no_tls: 'the other side speaks no TLS',
};

const joinFaults = {
  unknown: 'the token is not valid',
  used: 'the token has been used; make a new one with sampan-controller join-token',
  expired: 'the token has expired; make a new one with sampan-controller join-token',
};

const oldRefusals: Record<OldReleaseRefusal, string> = {
  no_archive: 'it is not surely whole, there is no archive beside it to compare it with',
  archive_unreadable: 'it is not surely whole, its archive cannot be read',
  differs: 'it is not what its archive holds',
  cut_short: 'it is cut short',
  of_other_link: 'it belongs to another link',
};

const refusals: Record<EntryRefusal, string> = {
  path_outside: 'path outside the release',
  path_absolute: 'absolute path',
  path_invalid: 'invalid path',
  path_through_link: 'path leads through a link',
  link_outside: 'link points outside the release',
  link_absolute: 'link points at an absolute path that allow_links_to does not list',
  type: 'unsupported type',
};

/** Names the proxy that was asked: what went wrong may well be its fault. */
function via(proxy: string | undefined): string {
  return proxy === undefined ? '' : `, through the proxy ${proxy} (download.proxy)`;
}

function lastLines(output: string): string {
  return output === '' ? '' : `, output: ${output}`;
}

function stopCause({ cause, failed, allowed }: ErrorParams['ROLLOUT_STOPPED']): string {
  switch (cause) {
    case 'cancelled':
      return 'the rollout was cancelled';
    case 'not_staged':
      return `${failed} hosts could not be made ready`;
    case 'failures':
      return `${failed} hosts failed, and at most ${allowed} may`;
  }
}
