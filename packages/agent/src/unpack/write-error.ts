import { statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import { refuseEntry } from './refuse-entry.ts';
import { CONTENT_DIR } from './unpack-order.ts';

/** What the system said against writing an entry, as a DeployError that names the place; ours and bugs pass as they are. */
export function writeError(error: unknown, { stagingDir, entry }: { stagingDir: string; entry: string }): unknown {
  const reason = systemCode(error);
  if (error instanceof DeployError || reason === undefined) return error;
  switch (reason) {
    case 'ENOSPC':
    case 'EDQUOT': {
      const path = dirname(stagingDir);
      return new DeployError(outOfInodes() ? 'INODES_EXHAUSTED' : 'DISK_FULL', { path }, { cause: error });
    }
    case 'ENAMETOOLONG':
      return refuseEntry(entry, 'path_invalid', 'longer than the file system allows');
    case 'EILSEQ':
      return refuseEntry(entry, 'path_invalid', 'characters that the file system does not allow');
    default: {
      const path = join(stagingDir, CONTENT_DIR, entry);
      const operation = (error as NodeJS.ErrnoException).syscall ?? 'write';
      return new DeployError('DISK_ERROR', { path, operation, reason }, { cause: error });
    }
  }
}

/** Some file systems (btrfs) do not count inodes and say 0 of 0. */
function outOfInodes(): boolean {
  // By the working directory: as the owner of the release, the process may not be allowed to walk to it.
  const { files, ffree } = statfsSync('.');
  return files > 0 && ffree === 0;
}
