import { DeployError } from '@sampan/shared/errors.ts';

/** An archive that cannot be what it should be. `reason` is English and short: it stands in brackets in the message. */
export function corrupt(reason: string, cause?: unknown): DeployError<'ARCHIVE_CORRUPT'> {
  return new DeployError('ARCHIVE_CORRUPT', { reason }, { cause });
}
