import { DeployError } from '@sampan/shared/errors.ts';
import { type Layout, releaseOfLinkText } from '../releases/layout.ts';
import type { UnpackLimits } from '../unpack/unpack-order.ts';
import { usableOldReleases } from './old-release-whole.ts';

/**
 * Rethrows an error; a RELEASE_NOT_FOUND also names the old releases that could be used instead. `current`: the link's text.
 * Reads archives, so not to be called under a lock.
 */
export async function namingOldReleases(
  error: unknown,
  { layout, limits, current }: { layout: Layout; limits: UnpackLimits; current: string | null },
  signal: AbortSignal,
): Promise<never> {
  if (!DeployError.is(error, 'RELEASE_NOT_FOUND')) throw error;
  const name = releaseOfLinkText(layout, current);
  const old = await usableOldReleases({ layout, limits }, name, signal);
  const { version, available } = error.params;
  const all = [...available.split(', ').filter((known) => known !== ''), ...old];
  throw new DeployError('RELEASE_NOT_FOUND', { version, available: [...new Set(all)].join(', ') }, { cause: error });
}
