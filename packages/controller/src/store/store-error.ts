import { DeployError } from '@sampan/shared/errors.ts';

/** Why the database took no write, in SQLite's words: `database or disk is full`. */
export function writeFault(error: unknown): string {
  const { errstr, message } = error as Error & { errstr?: string };
  return errstr ?? message;
}

/** What a caller is told whose order could not be written down. */
export function unwritable(cause: unknown): DeployError<'STORE_UNWRITABLE'> {
  return new DeployError('STORE_UNWRITABLE', { reason: writeFault(cause) }, { cause });
}
