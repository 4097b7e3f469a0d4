import { basename, dirname } from 'node:path';
import { realPathOf } from '../host/real-path.ts';
import type { Layout, Target } from '../releases/layout.ts';
import { leftReleases } from '../releases/old-releases.ts';
import { listReleases } from '../releases/release-store.ts';
import type { ExpectedRelease } from '../supervisor/release-evidence.ts';

/** What a program that is restarted now must run from: what the link names, and none of the project's other releases. */
export async function expectedRelease(layout: Layout, target: Target): Promise<ExpectedRelease> {
  const releasePath = await realPathOf(layout.link);
  const own = (await listReleases(layout, target)).map(({ name }) => name);
  const names = [...own, ...(await leftReleases(layout))];
  return {
    releasePath,
    deployDir: dirname(releasePath),
    siblings: names.filter((name) => name !== basename(releasePath)),
  };
}
