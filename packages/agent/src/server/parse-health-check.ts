import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { HealthCheck__Output } from '@sampan/shared/gen/sampan/agent/v1/HealthCheck.ts';
import { isLoopback, listenAddress } from '@sampan/shared/units.ts';
import { HEALTH_DEFAULTS, type HealthCheck } from '../health/health-check.ts';
import { invalid } from './parse-request.ts';

const DAY_MS = 86_400_000;
const MAX_ARGUMENTS = 100;
const MAX_SUCCESSES = 100;

/** A health check as it was sent, complete and allowed; undefined where there is none. @throws INVALID_REQUEST. */
export function parseHealthCheck(sent: HealthCheck__Output | null): HealthCheck | undefined {
  if (!sent) return undefined;
  const time = (name: 'intervalMs' | 'timeoutMs' | 'deadlineMs') => {
    if (sent[name] > DAY_MS) throw invalid(`health_check.${name}`, sent[name], 'at most a day');
    return sent[name] || HEALTH_DEFAULTS[name];
  };
  const { successes } = sent;
  if (successes > MAX_SUCCESSES) throw invalid('health_check.successes', successes, `at most ${MAX_SUCCESSES}`);
  return {
    probe: probeOf(sent),
    intervalMs: time('intervalMs'),
    timeoutMs: time('timeoutMs'),
    deadlineMs: time('deadlineMs'),
    successes: successes || HEALTH_DEFAULTS.successes,
  };
}

function probeOf({ http, tcp, command }: HealthCheck__Output): HealthCheck['probe'] {
  if (http) {
    const url = URL.parse(http.url);
    if (!url || !/^https?:$/.test(url.protocol))
      throw invalid('health_check.http.url', http.url, 'http:// or https://');
    assertOwn('health_check.http.url', url.hostname.replace(/^\[|\]$/g, ''));
    const { status } = http;
    if (status !== 0 && (status < 100 || status > 599)) throw invalid('health_check.http.status', status, '100 to 599');
    return { kind: 'http', url: url.href, status };
  }
  if (tcp) {
    const address = listenAddress.safeParse(tcp.address).data;
    if (!address || address.port === 0) throw invalid('health_check.tcp.address', tcp.address, 'host:port');
    assertOwn('health_check.tcp.address', address.host);
    return { kind: 'tcp', ...address };
  }
  const argv = command?.argv ?? [];
  const isCommand = argv[0] !== undefined && argv[0] !== '' && argv.length <= MAX_ARGUMENTS;
  if (isCommand && argv.every((word) => !word.includes('\0'))) return { kind: 'command', argv };
  throw invalid('health_check', argv, 'http, tcp, or a command');
}

/** An agent is no way into other machines' networks. Of what is no address, a resolver may make any: `127.0.0.256`. */
function assertOwn(field: string, host: string): void {
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const isOwn = isLoopback(host) || own.some(({ address }) => address === host);
  if (host === 'localhost' || (isIP(host) !== 0 && isOwn)) return;
  throw invalid(field, host, 'localhost, or an address of this host');
}
