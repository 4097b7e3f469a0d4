import { join } from 'node:path';
import type { GetCurrentVersionRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/GetCurrentVersionRequest.ts';
import type { GetCurrentVersionResponse } from '@sampan/shared/gen/sampan/agent/v1/GetCurrentVersionResponse.ts';
import type { ListReleasesRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/ListReleasesRequest.ts';
import type { ListReleasesResponse } from '@sampan/shared/gen/sampan/agent/v1/ListReleasesResponse.ts';
import type { RemoveRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/RemoveRequest.ts';
import type { RemoveResponse } from '@sampan/shared/gen/sampan/agent/v1/RemoveResponse.ts';
import { versionOf } from '@sampan/shared/names.ts';
import { type Layout, layoutOf, releaseOfLinkText } from '../../releases/layout.ts';
import { readLinkText } from '../../releases/link.ts';
import { treeFilePath } from '../../releases/meta-files.ts';
import { currentVersion, listReleases } from '../../releases/release-store.ts';
import { findMissing } from '../../releases/tree-file.ts';
import type { AgentCore } from '../agent-core.ts';
import { parseFilename, parseTarget } from '../parse-request.ts';

const VERIFY_MS = 60_000;

export async function listReleasesOf(
  core: AgentCore,
  request: ListReleasesRequest__Output,
): Promise<ListReleasesResponse> {
  const target = parseTarget(request.target);
  const layout = layoutOf(core.services.config, target);
  const current = releaseOfLinkText(layout, await readLinkText(layout.link));
  const releases = await listReleases(layout, target);
  return {
    releases: await Promise.all(
      releases.map(async ({ name, version, filename, sha256, bytes, entries, stagedAt }) => ({
        release: name,
        version,
        filename,
        sha256,
        bytes,
        entries,
        stagedAtMs: Date.parse(stagedAt),
        current: name === current,
        intact: request.verify && (await isIntact(layout, name)),
      })),
    ),
  };
}

async function isIntact(layout: Layout, release: string): Promise<boolean> {
  const signal = AbortSignal.timeout(VERIFY_MS);
  return (await findMissing(treeFilePath(layout, release), join(layout.releasesDir, release), signal)) === undefined;
}

export async function getCurrentVersion(
  core: AgentCore,
  request: GetCurrentVersionRequest__Output,
): Promise<GetCurrentVersionResponse> {
  const { version, linkText } = await currentVersion(layoutOf(core.services.config, parseTarget(request.target)));
  return { version, linkTarget: linkText };
}

export async function remove(core: AgentCore, request: RemoveRequest__Output): Promise<RemoveResponse> {
  const target = parseTarget(request.target);
  const layout = layoutOf(core.services.config, target);
  const unwanted = versionOf(parseFilename('filename', request.filename));
  const plan = await core.deploys.prune({ layout, target, keep: Number.POSITIVE_INFINITY, unwanted });
  return { removed: plan.remove, kept: plan.kept };
}
