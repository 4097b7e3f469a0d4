import { DeployError, systemCode } from '@sampan/shared/errors.ts';

/** A failed system call on a path as a DeployError: a full disk says so, the rest says what was tried. Ours pass as they are. */
export function diskError(cause: unknown, { path, operation }: { path: string; operation: string }): DeployError {
  if (cause instanceof DeployError) return cause;
  const reason = systemCode(cause);
  if (reason === 'ENOSPC' || reason === 'EDQUOT') return new DeployError('DISK_FULL', { path }, { cause });
  return new DeployError('DISK_ERROR', { path, operation, reason: reason ?? 'unknown' }, { cause });
}
