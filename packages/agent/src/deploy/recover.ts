import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import { killIfSame } from '../host/kill-process.ts';
import { removeTree } from '../host/remove-tree.ts';
import { interruptedActivation } from '../operations/interrupted-activation.ts';
import type { Operations } from '../operations/operations.ts';
import { baseLayout, type Layout, layoutOf, type Target } from '../releases/layout.ts';
import { TEMPORARY_LINK_PREFIX } from '../releases/link.ts';
import { manifestPath, namesIn, treeFilePath } from '../releases/meta-files.ts';
import { findRelease, newestRelease } from '../releases/release-store.ts';
import type { HostServices } from './host-services.ts';
import { endLeftoverCommands } from './leftover-commands.ts';
import { ownBase } from './own-base.ts';

type Base = Omit<Layout, 'link'>;

/**
 * Clears away what a life of this agent that ended without warning left behind, before anything is served: unpackers,
 * hooks and checks that outlived it, staging, temporary links, manifests of releases that never came to stand.
 */
export async function recover(services: HostServices, operations: Operations): Promise<void> {
  const interrupted = new Set<string>();
  for (const [operationId, { records }] of operations.all()) {
    // Only what was open when the agent died: any other unpacker was waited for.
    if (records.at(-1)?.event !== 'interrupted') continue;
    interrupted.add(operationId);
    for (const record of records) if (record.event === 'staging') await killIfSame(record.pid, record.pidStartTime);
  }
  await endLeftoverCommands(services.config, interrupted);
  for (const base of knownBases(services, operations)) {
    await ownBase(base, services);
    await sweep(base, services);
    await compareWithJournal(base, services, operations);
  }
}

/**
 * A journal that has never heard of the newest release of a base is a new one, or an older one that was put back: what it
 * calls interrupted may have ended long ago, so nothing of it is gone on with.
 */
async function compareWithJournal(base: Base, services: HostServices, operations: Operations): Promise<void> {
  if (!operations.isComplete) return;
  const newest = await newestRelease(base);
  if (!newest || operations.find(newest.operationId)) return;
  const { name, operationId } = newest;
  services.log.warn({ base: base.baseDir, release: name, operationId }, 'the journal is older than the newest release');
  const reason = new DeployError('STATE_UNKNOWN', { known: 'the journal is older than the newest release' });
  for (const [id, { records }] of operations.all()) {
    const interrupted = interruptedActivation(records);
    if (interrupted && baseOf(services.config, interrupted.target) === base.baseDir) await operations.close(id, reason);
  }
}

function knownBases({ config }: HostServices, operations: Operations): Base[] {
  const fixed = Object.values(config.languages)
    .map(({ base_dir }) => base_dir)
    .filter((template) => !template.includes('{'));
  const used = [...operations.all().values()].flatMap(({ records }) =>
    records.flatMap((record) => (record.event === 'started' ? [baseOf(config, record.target)] : [])),
  );
  return [...new Set([...fixed, ...used.filter((dir) => dir !== undefined)])].map(baseLayout);
}

/** Undefined for a target that the configuration of today refuses. */
function baseOf(config: HostServices['config'], target: Target): string | undefined {
  try {
    return layoutOf(config, target).baseDir;
  } catch {
    return undefined;
  }
}

/** The names that have a manifest or a tree file, or both. */
async function metaNames(base: Base): Promise<Set<string>> {
  const files = (await namesIn(base.metaDir)).filter((file) => /\.(json|tree)$/.test(file));
  return new Set(files.map((file) => file.replace(/\.(json|tree)$/, '')));
}

async function stands(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function sweep(base: Base, { log }: HostServices): Promise<void> {
  const swept: string[] = [];
  const remove = async (path: string) => {
    await removeTree(path);
    swept.push(path);
  };
  for (const name of await namesIn(base.baseDir)) {
    if (name.startsWith(TEMPORARY_LINK_PREFIX)) await remove(join(base.baseDir, name));
  }
  for (const name of await namesIn(base.stagingRoot)) await remove(join(base.stagingRoot, name));
  for (const name of await namesIn(base.metaDir)) {
    if (name.startsWith('.')) await remove(join(base.metaDir, name));
  }
  for (const name of await metaNames(base)) {
    if (await findRelease(base, name)) continue;
    if (await stands(join(base.releasesDir, name))) {
      // A base that was copied or restored has other inodes: what is known of its releases is not thrown away.
      log.warn({ base: base.baseDir, name }, 'a manifest is not of the release that stands under its name');
      continue;
    }
    await remove(manifestPath(base, name));
    await remove(treeFilePath(base, name));
  }
  if (swept.length > 0) log.warn({ base: base.baseDir, swept }, 'leftovers of an interrupted life were removed');
}
