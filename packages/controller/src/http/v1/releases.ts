import type { Release__Output } from '@sampan/shared/gen/sampan/agent/v1/Release.ts';
import type { AgentConnection } from '../../agents/agent-connection.ts';
import { callAgent } from '../../agents/call-agent.ts';
import type { AgentCall } from '../../agents/start-call.ts';
import { askHosts } from '../../ask-hosts.ts';
import type { Outcomes } from '../../outcomes.ts';
import type { ControllerApp } from '../controller-app.ts';
import { untilCallerLeaves } from '../until-caller-leaves.ts';
import { failedHosts } from './failures.ts';
import * as fields from './fields.ts';
import { type V1Services, v1Access } from './v1-services.ts';

/** Each entry of each release is looked at. */
const TIMEOUT_MS = 60_000;

/** `GET /v1/releases`: what each host has of a project's link, and to which versions every one of them could go back at once. */
export function releasesRoute(app: ControllerApp, { fleet, agentPort }: V1Services): void {
  const schema = {
    summary: 'Releases on each host, and those that every host could go back to',
    description:
      'common lists the versions that every host has intact and that are not current on all of them, newest first as the first host has them. It is empty where a host did not answer.',
    querystring: fields.linkQuery(agentPort),
  };
  app.get('/releases', { config: v1Access('read', 'named'), schema }, async (request, reply) => {
    const { hosts, target } = request.query;
    const call: AgentCall<'ListReleases'> = {
      method: 'ListReleases',
      request: { target, verify: true },
      timeoutMs: TIMEOUT_MS,
    };
    const ask = async (connection: AgentConnection, signal: AbortSignal) =>
      (await callAgent(connection, call, signal)).releases;
    const outcomes = await askHosts(fleet, { operation: 'list_releases', hosts, ask }, untilCallerLeaves(reply));
    return { hosts: releasesByHost(outcomes), failed: failedHosts(outcomes), common: commonVersions(outcomes) };
  });
}

function releasesByHost(outcomes: Outcomes<readonly Release__Output[]>) {
  return Object.fromEntries(
    [...outcomes].flatMap(([host, outcome]) => (outcome.ok ? [[host, outcome.value.map(releaseView)] as const] : [])),
  );
}

function releaseView({
  release,
  version,
  filename,
  sha256,
  bytes,
  entries,
  stagedAtMs,
  current,
  intact,
}: Release__Output) {
  const staged_at = new Date(stagedAtMs).toISOString();
  return { release, version, filename, sha256, bytes, entries, staged_at, current, intact };
}

/** A rollback means the newest copy that is not current: that one has to be intact on every host. */
export function commonVersions(outcomes: Outcomes<readonly Release__Output[]>): string[] {
  const all = [...outcomes.values()].map((outcome) =>
    outcome.ok ? versionsOf(outcome.value) : new Map<string, boolean>(),
  );
  const [first = new Map<string, boolean>()] = all;
  return [...first.keys()].filter(
    (version) => all.every((versions) => versions.has(version)) && !all.every((versions) => versions.get(version)),
  );
}

/** The versions that could be gone back to, newest first, and whether each is current already. */
function versionsOf(releases: readonly Release__Output[]): Map<string, boolean> {
  const versions = new Map<string, boolean>();
  for (const { version } of releases) {
    if (versions.has(version)) continue;
    const copies = releases.filter((copy) => copy.version === version);
    const target = copies.find(({ current }) => !current) ?? copies[0];
    if (target?.intact)
      versions.set(
        version,
        copies.some(({ current }) => current),
      );
  }
  return versions;
}
