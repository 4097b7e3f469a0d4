import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DeployError } from '@sampan/shared/errors.ts';
import { diskError } from '../host/disk-error.ts';
import { syncDirectory } from '../host/durable-file.ts';
import { releasesInUse } from '../host/processes.ts';
import { removeTree } from '../host/remove-tree.ts';
import { type Layout, releaseOfLinkText, type Target } from './layout.ts';
import { readLinkText } from './link.ts';
import { type KeepReason, type PrunePlan, planPrune } from './plan-prune.ts';
import { listReleases, manifestPath, namesIn, treeFilePath } from './release-store.ts';

/** What decides over the releases of one project and link. */
export interface PruneOrder {
  layout: Layout;
  target: Target;
  keep: number;
  unwanted?: string | undefined;
  justLeft?: string | undefined;
  /** One release that is to go whatever its age. */
  unwantedRelease?: string | undefined;
  /** The releases that operations need, asked last. Names of other bases in it do no harm. */
  held: () => ReadonlySet<string>;
}

/**
 * Takes the releases that nothing needs out of `.deploy`; from then on they are not listed. The caller holds the lock
 * of the base. What was taken out is added to `graves`, also where it throws, and lies there until `bury` removes it,
 * which may take long and needs no lock.
 */
export async function takeOut(order: PruneOrder, graves: string[]): Promise<PrunePlan> {
  const newestFirst = await listReleases(order.layout, order.target);
  const { keep, unwanted, unwantedRelease } = order;
  const question = { newestFirst, keep, unwanted, unwantedRelease };
  // Asking /proc is the dear part: only where something would go.
  const wouldGo = planPrune({ ...question, protectedBy: new Map() }).remove;
  if (wouldGo.length === 0) return { remove: [], kept: [] };
  const plan = planPrune({ ...question, protectedBy: await protectedReleases(order) });
  for (const name of plan.remove) {
    const grave = join(order.layout.stagingRoot, randomUUID());
    graves.push(grave);
    await moveOut(order.layout, name, grave);
  }
  return plan;
}

/** Removes what was taken out. */
export async function bury(graves: readonly string[]): Promise<void> {
  for (const grave of graves) await removeTree(grave);
}

async function protectedReleases({ layout, justLeft, held }: PruneOrder): Promise<Map<string, KeepReason>> {
  const reasons = new Map<string, KeepReason>();
  for (const name of await releasesInUse(layout.releasesDir)) reasons.set(name, 'in_use');
  for (const name of held()) reasons.set(name, 'held');
  if (justLeft !== undefined) reasons.set(justLeft, 'just_left');
  for (const entry of await namesIn(layout.baseDir)) {
    const text = await linkTextOf(join(layout.baseDir, entry));
    const name = text === null ? undefined : releaseOfLinkText(layout, text);
    if (name !== undefined) reasons.set(name, entry === basename(layout.link) ? 'current' : 'linked');
  }
  return reasons;
}

/** Null for what is no link. A link that cannot be read may lead anywhere: then nothing is removed. */
async function linkTextOf(path: string): Promise<string | null> {
  return readLinkText(path).catch((error: unknown) => {
    if (DeployError.is(error, 'LINK_NOT_A_SYMLINK')) return null;
    throw error;
  });
}

/** Moving first means: a removal that is killed midway leaves nothing that looks like a release. One that fails is taken back. */
async function moveOut(layout: Layout, name: string, grave: string): Promise<void> {
  const place = join(layout.releasesDir, name);
  const content = join(grave, 'content');
  try {
    await mkdir(grave);
    await rename(place, content);
    await rename(manifestPath(layout, name), join(grave, 'manifest.json')).catch(async (error: unknown) => {
      await rename(content, place);
      throw error;
    });
    await rm(treeFilePath(layout, name), { force: true });
  } catch (cause) {
    throw diskError(cause, { path: place, operation: 'remove' });
  }
  await syncDirectory(layout.releasesDir);
}
