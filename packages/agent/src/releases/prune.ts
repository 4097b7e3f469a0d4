import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError } from '@sampan/shared/errors.ts';
import { diskError } from '../host/disk-error.ts';
import { syncDirectory } from '../host/durable-file.ts';
import { releasesInUse } from '../host/processes.ts';
import { removeTree } from '../host/remove-tree.ts';
import { type Layout, releaseOfLinkText, type Target } from './layout.ts';
import { readLinkText } from './link.ts';
import { manifestPath, namesIn, treeFilePath } from './meta-files.ts';
import { type KeepReason, type PrunePlan, planPrune } from './plan-prune.ts';
import { listReleases } from './release-store.ts';

/** What decides over the releases of one project and link. */
export interface PruneOrder {
  layout: Layout;
  target: Target;
  keep: number;
  unwanted?: string | undefined;
  /** One release that is to go whatever its age. */
  unwantedRelease?: string | undefined;
  /**
   * The releases that operations need, and why, where the links of the base name this now, by their paths. Asked last. Names of
   * other bases in it do no harm.
   */
  needed: (texts: ReadonlyMap<string, string>) => ReadonlyMap<string, KeepReason>;
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

async function protectedReleases({ layout, needed }: PruneOrder): Promise<Map<string, KeepReason>> {
  const reasons = new Map<string, KeepReason>();
  for (const name of await releasesInUse(layout.releasesDir)) reasons.set(name, 'in_use');
  const texts = await linkTextsIn(layout.baseDir);
  for (const [name, reason] of needed(texts)) reasons.set(name, reason);
  for (const [link, text] of texts) {
    const name = releaseOfLinkText(layout, text);
    if (name !== undefined) reasons.set(name, link === layout.link ? 'current' : 'linked');
  }
  return reasons;
}

/** What the links of a base name, by their paths. */
async function linkTextsIn(baseDir: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const entry of await namesIn(baseDir)) {
    const link = join(baseDir, entry);
    const text = await linkTextOf(link);
    if (text !== null) texts.set(link, text);
  }
  return texts;
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
