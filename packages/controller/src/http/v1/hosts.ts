import { z } from 'zod';
import { parseAgentAddress } from '../../agents/agent-address.ts';
import type { KnownHost } from '../../hosts/host-directory.ts';
import type { Host } from '../../rollout/rollout-plan.ts';
import type { ControllerApp } from '../controller-app.ts';
import { untilCallerLeaves } from '../until-caller-leaves.ts';
import * as fields from './fields.ts';
import { type V1Services, v1Access } from './v1-services.ts';

/** `GET /v1/hosts`: what is known of each agent; asked anew behind the answer, or, with `refresh=true`, before it. */
export function hostsRoute(app: ControllerApp, { hosts, knownHosts, agentPort }: V1Services): void {
  const schema = {
    summary: 'Hosts, with the version, disk and supervisor of each, and when it was last seen',
    description:
      'Those that have joined, and those that rollouts have named; or those of hosts=. It is answered from what is known, and asked anew behind that, or, with refresh=true, before it. reachable is null for a host that was asked for the first time and has neither answered nor failed yet.',
    querystring: z.strictObject({
      hosts: fields.hostsOfQuery(agentPort).optional(),
      refresh: z.enum(['true', 'false'], { error: 'true or false' }).default('false'),
    }),
  };
  app.get('/hosts', { config: v1Access('read', 'none'), schema }, async (request, reply) => {
    const wanted = request.query.hosts ?? named(await knownHosts(), agentPort);
    const isFresh = request.query.refresh === 'true';
    const found = await hosts.look(wanted, { isFresh }, untilCallerLeaves(reply));
    return { hosts: Object.fromEntries(wanted.map(({ name }) => [name, hostView(found.get(name))])) };
  });
}

function named(names: readonly string[], agentPort: number): Host[] {
  return names.flatMap((name) => {
    const address = parseAgentAddress(name, agentPort);
    return address ? [{ name, address }] : [];
  });
}

function hostView(known: KnownHost | undefined) {
  const status = known?.status;
  const supervisor = status?.checks.find(({ name }) => name === 'supervisor');
  return {
    reachable: known === undefined ? null : known.error === undefined,
    ...(known?.error ? { error: known.error } : {}),
    last_seen: known?.seenAtMs === undefined ? null : new Date(known.seenAtMs).toISOString(),
    ...(status
      ? {
          agent_version: status.version,
          agent_id: status.agentId,
          ready: status.ready,
          checks: status.checks,
          disk: { free_bytes: status.freeBytes, total_bytes: status.totalBytes },
          supervisor: supervisor ? { ok: supervisor.ok, detail: supervisor.detail } : null,
          running_operations: status.runningOperations,
          certificate_expires_at:
            status.certificateExpiresAtMs === 0 ? null : new Date(status.certificateExpiresAtMs).toISOString(),
        }
      : {}),
  };
}
