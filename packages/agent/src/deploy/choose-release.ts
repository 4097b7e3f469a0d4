import { DeployError } from '@sampan/shared/errors.ts';
import { type Layout, releaseOfLinkText, type Target } from '../releases/layout.ts';
import { readLinkText } from '../releases/link.ts';
import { findOldRelease, type OldRelease } from '../releases/old-releases.ts';
import { findRelease, isOf, isReleaseName, listReleases, type Release } from '../releases/release-store.ts';

/** Which release is to become current: one by its name on disk, or the best copy of a version. */
export type ReleaseChoice = { kind: 'release'; release: string } | { kind: 'version'; version: string };

/** The release that is meant. `old` is set for one without a manifest, which nobody has found to be whole yet. */
export interface ChosenRelease {
  name: string;
  version: string;
  old?: OldRelease;
}

/**
 * The release that is meant. A version means its newest copy that is not current; the current one only where there is no
 * other; what the service before us left under that name, where there is no copy of ours.
 * @throws RELEASE_NOT_FOUND with those versions of ours that are there.
 */
export async function chooseRelease(layout: Layout, target: Target, choice: ReleaseChoice): Promise<ChosenRelease> {
  const named =
    choice.kind === 'release' && isReleaseName(choice.release) ? await findRelease(layout, choice.release) : undefined;
  if (named && isOf(named, target)) return named;
  const releases = await listReleases(layout, target);
  const current = releaseOfLinkText(layout, await readLinkText(layout.link));
  const found = choice.kind === 'version' ? pick(releases, choice.version, current) : undefined;
  if (found) return found;
  const version = choice.kind === 'release' ? choice.release : choice.version;
  const old = await findOldRelease(layout, version);
  if (old) return { name: old.name, version: old.name, old };
  const available = [...new Set(releases.filter(({ name }) => name !== current).map(({ version }) => version))];
  throw new DeployError('RELEASE_NOT_FOUND', { version, available: available.join(', ') });
}

function pick(newestFirst: Release[], wanted: string, current: string | undefined): Release | undefined {
  const copies = newestFirst.filter(({ version }) => version === wanted);
  return copies.find(({ name }) => name !== current) ?? copies[0];
}
