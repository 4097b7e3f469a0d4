import { ConfigError } from '@sampan/shared/load-config.ts';
import { readAuthority } from '../identity/authority-file.ts';
import type { Enrolling } from '../identity/enroll.ts';
import type { CommandContext } from './run-command.ts';

/** Where the CA is. @throws ConfigError: the configuration does not say. */
export function identityDirOf({ config }: CommandContext): string {
  if (config.identity_dir !== null) return config.identity_dir;
  throw new ConfigError(
    'identity_dir is not set: add it to controller.yaml, such as /var/lib/sampan-controller/identity, and name that file with --config',
  );
}

/** What certificates are issued with. @throws ConfigError: there is no CA yet. */
export async function enrollingOf(context: CommandContext): Promise<Enrolling> {
  const authority = await readAuthority(identityDirOf(context));
  return { authority, db: context.db, lifetimeMs: context.config.certificates.lifetime };
}
