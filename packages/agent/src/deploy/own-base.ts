import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import type { Layout } from '../releases/layout.ts';
import type { HostServices } from './host-services.ts';

type Base = Pick<Layout, 'baseDir' | 'releasesDir'>;

/**
 * Makes sure that no other agent works on a base, before anything in it is changed. A base without releases is nobody's yet.
 * @throws BASE_HELD that names the other.
 */
export async function ownBase(
  { baseDir, releasesDir }: Base,
  { directories }: Pick<HostServices, 'directories'>,
): Promise<void> {
  try {
    await directories.hold(releasesDir);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return;
    if (!DeployError.is(error, 'BASE_HELD')) throw error;
    throw new DeployError('BASE_HELD', { ...error.params, base: baseDir }, { cause: error });
  }
}
