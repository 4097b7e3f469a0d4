import { dirname } from 'node:path';
import { errorText } from '@sampan/shared/error-text.ts';
import { DeployError } from '@sampan/shared/errors.ts';
import type { GetRunningVersionRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/GetRunningVersionRequest.ts';
import type { GetRunningVersionResponse } from '@sampan/shared/gen/sampan/agent/v1/GetRunningVersionResponse.ts';
import { realPathOf } from '../../host/real-path.ts';
import { type Layout, layoutOf, type Target } from '../../releases/layout.ts';
import { leftReleases } from '../../releases/old-releases.ts';
import { currentVersion, listReleases } from '../../releases/release-store.ts';
import type { AgentCore } from '../agent-core.ts';
import { parseTarget } from '../parse-request.ts';

const DEADLINE_MS = 30_000;

/** What the link names, and what the programs run, each by what shows it. */
export async function getRunningVersion(
  core: AgentCore,
  request: GetRunningVersionRequest__Output,
): Promise<GetRunningVersionResponse> {
  const target = parseTarget(request.target);
  const layout = layoutOf(core.services.config, target);
  const { version, linkText } = await currentVersion(layout);
  const running = await programsOf(core, target, layout);
  return { version, linkTarget: linkText, ...running };
}

async function programsOf(
  { services }: AgentCore,
  target: Target,
  layout: Layout,
): Promise<Pick<GetRunningVersionResponse, 'programs' | 'unknown'>> {
  if (services.config.languages[target.language].restart !== 'supervisor') {
    return { programs: [], unknown: `${target.language} has no programs that could be asked` };
  }
  try {
    const releases = await listReleases(layout, target);
    const versions = new Map(releases.map(({ name, version }) => [name, version]));
    const names = [...versions.keys(), ...(await leftReleases(layout))];
    const deployDir = dirname(await realPathOf(layout.link));
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const programs = await services.supervisor.running(target, { deployDir, releases: names }, signal);
    return {
      programs: programs.map(({ release, ...program }) => ({ ...program, version: versions.get(release) ?? release })),
      unknown: '',
    };
  } catch (error) {
    if (!DeployError.is(error)) throw error;
    return { programs: [], unknown: errorText(error, 'en') };
  }
}
