import { join } from 'node:path';
import { versionOf } from '@sampan/shared/names.ts';
import type { OperationContext } from '../operations/operation-context.ts';
import { type Layout, releaseOfLinkText } from '../releases/layout.ts';
import { readLinkText } from '../releases/link.ts';
import { urlDigest } from '../releases/manifest.ts';
import { treeFilePath } from '../releases/meta-files.ts';
import { copiesOf, findRelease, type Release } from '../releases/release-store.ts';
import { verifyTree } from '../releases/tree-file.ts';
import type { HostServices } from './host-services.ts';
import type { StageOrder } from './stage.ts';

/** What the releases of a project and link say of the artifact that is to become the next one. */
export interface Known {
  standing: Standing | undefined;
  /** How big the current one's was, in bytes; undefined where nobody knows. */
  currentBytes: number | undefined;
}

/** A release that may save the download. */
export interface Standing {
  release: Release;
  /** True when the caller's sha256 names it; otherwise the origin has to answer 304 to its ETag first. */
  certain: boolean;
}

/**
 * Looks for the release of the same project, link and version that holds, or may hold, what is asked for, while its tree still
 * matches what was unpacked. An operation that was interrupted after its release stood finds its own.
 */
export async function findSameContent(
  order: StageOrder,
  services: HostServices,
  operation: OperationContext,
): Promise<Known> {
  const { layout, target, filename } = order;
  const { operationId } = operation;
  // Under the lock of the base: what was found there and is needed from now on, pruning leaves alone.
  const { standing, currentBytes } = await services.baseLock.run(layout.baseDir, async () => {
    const found = choose(await copiesOf(layout, target, versionOf(filename)), order, operationId);
    if (found) services.holds.need(layout.link, operationId, found.release.name);
    return { standing: found, currentBytes: await bytesOfCurrent(layout) };
  });
  if (!standing) return { standing, currentBytes };
  const { name } = standing.release;
  const mismatch = await verifyTree(treeFilePath(layout, name), join(layout.releasesDir, name), operation.signal);
  if (mismatch === undefined) return { standing, currentBytes };
  services.log.info({ operationId, release: name, mismatch }, 'release was changed, downloading it again');
  return { standing: undefined, currentBytes };
}

async function bytesOfCurrent(layout: Layout): Promise<number | undefined> {
  const current = releaseOfLinkText(layout, await readLinkText(layout.link));
  return current === undefined ? undefined : (await findRelease(layout, current))?.bytes;
}

function choose(releases: Release[], { sha256, fileUrl }: StageOrder, operationId: string): Standing | undefined {
  const own = releases.find((release) => release.operationId === operationId);
  if (own) return { release: own, certain: true };
  if (sha256 !== undefined) {
    const release = releases.find((candidate) => candidate.sha256 === sha256);
    return release && { release, certain: true };
  }
  const digest = urlDigest(fileUrl);
  const release = releases.find(({ etag, urlSha256 }) => etag !== null && urlSha256 === digest);
  return release && { release, certain: false };
}
