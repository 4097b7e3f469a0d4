import { DeployError, type EntryRefusal } from '@sampan/shared/errors.ts';

/** An entry that is not unpacked. `entry` is its path as the archive has it. */
export function refuseEntry(
  entry: string,
  reason: EntryRefusal,
  detail?: string,
): DeployError<'ARCHIVE_ENTRY_REFUSED'> {
  return new DeployError('ARCHIVE_ENTRY_REFUSED', { entry, reason, ...(detail === undefined ? {} : { detail }) });
}
