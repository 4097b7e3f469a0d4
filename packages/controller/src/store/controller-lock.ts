import { DatabaseSync } from 'node:sqlite';
import { createPrivately } from './create-privately.ts';

const SQLITE_BUSY = 5;

/** What is told of a database that another controller has. */
export const IN_USE =
  'another controller uses it, and a file belongs to one; PostgreSQL takes any number (database: postgres://…)';

/** That this process is the one controller of a database. The kernel takes it back from a process that dies. */
export interface ControllerLock {
  /** Again: nothing. */
  release(): void;
}

/**
 * Takes the lock beside the database `file`, or returns undefined when a controller has it. It is fcntl's, on an empty file of
 * its own, so that the database itself can be read and written beside the controller. The file stays: were it removed,
 * two could hold it, each in its own. Waiting up to `waitMs` blocks the whole process.
 */
export function takeControllerLock(file: string, waitMs: number): ControllerLock | undefined {
  const lockFile = `${file}.lock`;
  createPrivately(lockFile);
  const lock = new DatabaseSync(lockFile, { timeout: waitMs });
  try {
    // What SQLite would write into an empty file, and undo, stays in memory.
    lock.exec('pragma journal_mode = memory');
    lock.exec('begin exclusive');
    return { release: () => lock.isOpen && lock.close() };
  } catch (error) {
    lock.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** Whether SQLite says that another process is in the way. */
export function isBusy(error: unknown): boolean {
  return (error as { errcode?: number }).errcode === SQLITE_BUSY;
}
