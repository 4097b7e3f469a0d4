import type { CheckedPlace } from '../health/attempt-check.ts';
import { workingDirectoryOf } from '../releases/working-directory.ts';
import type { HostServices } from './host-services.ts';
import { checkMark } from './leftover-commands.ts';

/** Where a release's health check runs a command, and as whom: whoever may deploy is not to become root by that. */
export async function checkedPlace({ config, owners }: HostServices, releasePath: string): Promise<CheckedPlace> {
  const { user } = config.health_checks;
  const owner = user === null || process.getuid?.() !== 0 ? undefined : owners.get(user);
  return { releaseDir: await workingDirectoryOf(releasePath), owner, env: checkMark(config) };
}
