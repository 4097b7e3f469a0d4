import { z } from 'zod';
import { HOST_RULE, parseAgentAddress } from '../../agents/agent-address.ts';
import type { Host } from '../../rollout/rollout-plan.ts';
import { MAX_HOSTS } from '../limits.ts';
import { shown } from '../shown.ts';

const LIST_RULE = `1 到 ${MAX_HOSTS} 台主机的列表`;

const SHOWN = shown({
  type: 'array',
  items: { type: 'string' },
  minItems: 1,
  maxItems: MAX_HOSTS,
  description: `主机列表: ${HOST_RULE}; 重复的主机只处理一次`,
  examples: [['192.168.210.3']],
});

/** `server_list` as a JSON list. Names are kept as they were written, less surrounding spaces; one that occurs twice counts once. */
export function serverList(defaultPort: number) {
  return z
    .array(z.unknown(), { error: LIST_RULE })
    .transform((entries, context) => parseHosts(entries, context, defaultPort))
    .meta(SHOWN);
}

/** The same, and also text with commas, once or several times, as a query string brings it. */
export function serverListOfQuery(defaultPort: number) {
  return z
    .union([z.string(), z.array(z.unknown())], { error: LIST_RULE })
    .transform((value) => [value].flat().flatMap((entry) => (typeof entry === 'string' ? entry.split(',') : [entry])))
    .pipe(serverList(defaultPort))
    .meta(SHOWN);
}

function parseHosts(entries: unknown[], context: z.RefinementCtx, defaultPort: number): Host[] {
  if (entries.length === 0 || entries.length > MAX_HOSTS) {
    const found = entries.length === 0 ? '空列表' : `${entries.length} 台主机`;
    context.addIssue({ code: 'custom', message: LIST_RULE, params: { found } });
    return z.NEVER;
  }
  const hosts = new Map<string, Host>();
  for (const [index, entry] of entries.entries()) {
    const name = typeof entry === 'string' ? entry.trim() : '';
    const address = parseAgentAddress(name, defaultPort);
    if (!address) {
      context.addIssue({ code: 'custom', message: HOST_RULE, path: [index], input: entry });
      return z.NEVER;
    }
    hosts.set(name, { name, address });
  }
  return [...hosts.values()];
}
