import type { AnswerOf } from '@sampan/shared/agent-definition.ts';
import type { AgentConnection } from '../../agents/agent-connection.ts';
import { callAgent } from '../../agents/call-agent.ts';
import type { AgentCall } from '../../agents/start-call.ts';
import { askHosts } from '../../ask-hosts.ts';
import type { ControllerApp } from '../controller-app.ts';
import { untilCallerLeaves } from '../until-caller-leaves.ts';
import { failedHosts } from './failures.ts';
import * as fields from './fields.ts';
import { type V1Services, v1Access } from './v1-services.ts';

const TIMEOUT_MS = 30_000;

/** `GET /v1/versions`: for each host what was last asked for, what the link names, and what the programs run; and where these differ. */
export function versionsRoute(app: ControllerApp, { fleet, desk, agentPort }: V1Services): void {
  const schema = {
    summary: 'The version last asked for, the one that the link names, and the one that runs, host by host',
    description:
      'differs says in words where the three are not the same. asked is null where no rollout has named the host.',
    querystring: fields.linkQuery(agentPort),
  };
  app.get('/versions', { config: v1Access('read', 'named'), schema }, async (request, reply) => {
    const { hosts, target } = request.query;
    const call: AgentCall<'GetRunningVersion'> = {
      method: 'GetRunningVersion',
      request: { target },
      timeoutMs: TIMEOUT_MS,
    };
    const ask = (connection: AgentConnection, signal: AbortSignal) => callAgent(connection, call, signal);
    const asked = await desk.lastAsked(target);
    const outcomes = await askHosts(fleet, { operation: 'running_version', hosts, ask }, untilCallerLeaves(reply));
    const found = [...outcomes].flatMap(([host, outcome]) =>
      outcome.ok ? [[host, versionView(outcome.value, asked.get(host))] as const] : [],
    );
    return { hosts: Object.fromEntries(found), failed: failedHosts(outcomes) };
  });
}

/** What a rollout asked for on a host, and which. */
export interface Asked {
  version: string;
  rollout: string;
}

export function versionView(found: AnswerOf<'GetRunningVersion'>, asked: Asked | undefined) {
  const { version: linked, linkTarget, programs, unknown } = found;
  return {
    asked: asked ?? null,
    linked: { version: linked, target: linkTarget },
    running: programs.map(({ name, state, pid, version, evidence }) => ({ name, state, pid, version, evidence })),
    ...(unknown === '' ? {} : { unknown }),
    differs: differences(found, asked),
  };
}

function differences({ version, programs }: AnswerOf<'GetRunningVersion'>, asked: Asked | undefined): string[] {
  const ofLink =
    asked && asked.version !== version ? [`${asked.version} was asked for, the link names ${version}`] : [];
  const ofPrograms = programs.flatMap((program) =>
    program.version !== '' && program.version !== version
      ? [`the link names ${version}, ${program.name} (pid ${program.pid}) runs ${program.version}`]
      : [],
  );
  return [...ofLink, ...ofPrograms];
}
