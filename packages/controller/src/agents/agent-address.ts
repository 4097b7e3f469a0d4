import { isIPv4, isIPv6 } from 'node:net';

/** Where an agent is dialled. `key` is its canonical form (`10.0.0.3:7410`, `[::1]:7410`) and names its pooled connection. */
export interface AgentAddress {
  host: string;
  port: number;
  key: string;
}

/** What a host may look like, for messages in Chinese. */
export const HOST_RULE = 'IP、主机名、主机:端口 或 [IPv6]:端口';

/** Reads one entry of `server_list`: an IP, a name, `host:port`, `[v6]:port` or a bare v6. Undefined for anything else. */
export function parseAgentAddress(text: string, defaultPort: number): AgentAddress | undefined {
  if (isIPv6(text)) return addressOf(text, defaultPort);
  const { host, port = String(defaultPort) } = HOST_AND_PORT.exec(text)?.groups ?? {};
  const bare = host?.startsWith('[') ? host.slice(1, -1) : host;
  if (bare === undefined || !isPort(port)) return undefined;
  const known = host?.startsWith('[') ? isIPv6(bare) : isIPv4(bare) || isHostName(bare);
  return known ? addressOf(bare, Number(port)) : undefined;
}

const HOST_AND_PORT = /^(?<host>\[[0-9A-Fa-f:.]+\]|[^:[\]\s]+)(?::(?<port>\d{1,5}))?$/;
const LABEL = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

function addressOf(host: string, port: number): AgentAddress | undefined {
  // A zone (`fe80::1%eth0`) means something on this machine only.
  if (host.includes('%')) return undefined;
  const lower = host.toLowerCase();
  return { host: lower, port, key: `${isIPv6(lower) ? `[${lower}]` : lower}:${port}` };
}

function isPort(text: string): boolean {
  return Number(text) >= 1 && Number(text) <= 65_535;
}

/** A last label of digits alone is a mistyped IPv4 address, which resolvers read as something else (`10.1` as 10.0.0.1). */
function isHostName(text: string): boolean {
  const labels = text.split('.');
  return text.length <= 253 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
}
