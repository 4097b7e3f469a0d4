import { versionOf } from '@sampan/shared/names.ts';
import { redactUrl } from '@sampan/shared/redact-url.ts';
import { type FetchedArtifact, fetchArtifact } from '../artifact/fetch-artifact.ts';
import { removeTree } from '../host/remove-tree.ts';
import { syncFilesystem } from '../host/sync-filesystem.ts';
import type { Fence, StageOutcome } from '../operations/journal-record.ts';
import type { OperationContext } from '../operations/operation-context.ts';
import type { Layout, Target } from '../releases/layout.ts';
import { urlDigest } from '../releases/manifest.ts';
import { prepareBase, promote, type Release } from '../releases/release-store.ts';
import { workingDirectoryOf } from '../releases/working-directory.ts';
import { findSameContent, type Known } from './find-same-content.ts';
import { hookOf, runHook } from './hooks.ts';
import type { HostServices } from './host-services.ts';
import { ownBase } from './own-base.ts';

/** What is to be made present. */
export interface StageOrder {
  target: Target;
  layout: Layout;
  fileUrl: string;
  filename: string;
  /** Lower-case hex; undefined when the caller knows none. */
  sha256: string | undefined;
  willRestart: boolean;
  fence?: Fence | undefined;
}

type Unpacked = Extract<FetchedArtifact, { kind: 'unpacked' }>;

/** Steps 1 to 4 of a deploy: makes a release present and whole. Nothing that is live is touched; what fails leaves no trace. */
export async function stage(
  order: StageOrder,
  services: HostServices,
  operation: OperationContext,
): Promise<StageOutcome> {
  await operation.step('check', () => check(order, services, operation.signal));
  const known = await operation.step('compare', () => findSameContent(order, services, operation));
  const { standing } = known;
  if (standing?.certain) return outcomeOf(standing.release, true);

  const fetched = await operation.step('download', async (count) => {
    const artifact = await download(order, known, { services, operation, count });
    services.metrics.downloadedBytes.inc(artifact.kind === 'unpacked' ? artifact.bytes : 0);
    return artifact;
  });
  if (fetched.kind === 'not_modified') {
    if (!standing) throw new Error('the origin answered 304 to a request that named no ETag');
    return outcomeOf(standing.release, true);
  }
  try {
    const version = versionOf(order.filename);
    if (hookOf(services, order.target, 'pre_activate')) {
      const hook = {
        target: order.target,
        name: 'pre_activate',
        releaseDir: await workingDirectoryOf(fetched.root),
        version,
      } as const;
      await operation.step('pre_activate', () => runHook(services, hook, operation));
    }
    await operation.step('sync', () =>
      syncFilesystem(order.layout.stagingRoot, operation.signal, services.unpackThread),
    );
    return await operation.step('promote', () => makeRelease(order, fetched, { services, operation }));
  } finally {
    await removeStaging(fetched, services);
  }
}

/** What cannot be removed decides nothing: it is swept at start-up. */
async function removeStaging({ stagingDir, contentDir }: Unpacked, { log }: HostServices): Promise<void> {
  try {
    // Of what became a release nothing is left there but these two, and to remove empty directories takes no process.
    for (const dir of [contentDir, stagingDir]) await removeTree(dir);
  } catch (error) {
    log.warn({ err: error, stagingDir }, 'staging could not be removed');
  }
}

async function check(
  { target, layout, willRestart }: StageOrder,
  services: HostServices,
  signal: AbortSignal,
): Promise<void> {
  await prepareBase(layout);
  await ownBase(layout, services);
  if (willRestart) await services.supervisor.assertRestartable(target, signal);
}

interface DownloadContext {
  services: HostServices;
  operation: OperationContext;
  count: Parameters<Parameters<OperationContext['step']>[1]>[0];
}

function download(
  { target, layout, fileUrl, filename, sha256 }: StageOrder,
  { standing, currentBytes }: Known,
  { services, operation, count }: DownloadContext,
): Promise<FetchedArtifact> {
  const { download, unpack, languages } = services.config;
  const { owner, allow_links_to } = languages[target.language];
  return fetchArtifact(
    {
      url: fileUrl,
      filename,
      stagingRoot: layout.stagingRoot,
      sha256,
      ifNoneMatch: standing?.release.etag ?? undefined,
      expectedBytes: currentBytes,
      owner: owner === null ? undefined : services.owners.get(owner),
      allowLinksTo: allow_links_to,
      onProgress: count,
      onProcess: (process) => operation.record({ event: 'staging', ...process }),
    },
    { download, unpack, thread: services.unpackThread },
    operation.signal,
  );
}

async function makeRelease(
  { target, layout, fileUrl, filename }: StageOrder,
  fetched: Unpacked,
  { services, operation }: { services: HostServices; operation: OperationContext },
): Promise<StageOutcome> {
  const { stagingDir, root, treeFile, sha256, bytes, entries, etag } = fetched;
  operation.signal.throwIfAborted();
  const manifest = {
    project: target.projectName,
    link: target.linkName,
    filename,
    version: versionOf(filename),
    url: redactUrl(fileUrl),
    urlSha256: urlDigest(fileUrl),
    etag: etag ?? null,
    sha256,
    bytes,
    entries,
    operationId: operation.operationId,
    stagedAt: new Date().toISOString(),
  };
  const release = await services.baseLock.run(layout.baseDir, () =>
    promote(layout, { stagingDir, root, treeFile, manifest }, services.sequences),
  );
  services.holds.need(layout.link, operation.operationId, release.name);
  return outcomeOf(release, false);
}

function outcomeOf({ name, version, sha256, bytes, entries }: Release, reused: boolean): StageOutcome {
  return { release: name, version, sha256, bytes, entries, reused };
}
