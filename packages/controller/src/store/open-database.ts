import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemCode } from '@sampan/shared/errors.ts';
import { ConfigError } from '@sampan/shared/load-config.ts';
import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { migrationProvider } from './migrations.ts';
import { NodeSqliteDialect } from './node-sqlite-dialect.ts';
import type { Tables } from './tables.ts';

/** Long enough for a predecessor that is just ending. Waiting blocks the whole process, so no longer. */
const BUSY_MS = 500;
const SQLITE_BUSY = 5;

/**
 * Opens the embedded database, creates it where there is none (readable by this user alone: URLs of artifacts may carry
 * credentials), and brings its tables up to date. It is held until it is closed or this process ends, however it ends.
 * @throws ConfigError in words: another process holds it, it cannot be written, it is no database, or one of a newer version.
 */
export async function openDatabase(file: string): Promise<Kysely<Tables>> {
  const database = refusing(file, () => open(file));
  const db = new Kysely<Tables>({ dialect: new NodeSqliteDialect(database) });
  const { error } = await new Migrator({ db, provider: migrationProvider }).migrateToLatest();
  if (error === undefined) return db;
  database.close();
  throw refusal(file, error);
}

function open(file: string): DatabaseSync {
  createPrivately(file);
  const database = new DatabaseSync(file, { timeout: BUSY_MS, enableForeignKeyConstraints: true });
  try {
    // In this order: WAL that is entered under the exclusive mode needs no shared memory. The lock is fcntl's, taken by the
    // first transaction and kept; the kernel takes it back from a process that dies.
    database.exec('pragma locking_mode = exclusive');
    database.exec('pragma journal_mode = wal');
    // Every commit is synced, but those of write-behind.ts. What is deleted is overwritten, URLs first of all.
    database.exec('pragma synchronous = full');
    database.exec('pragma secure_delete = on');
    database.exec('begin exclusive; commit');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The journal beside the database gets its mode from it. */
function createPrivately(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    // One that exists must not be opened and closed here: that would drop a lock which this process has on it already.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

function refusing<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw refusal(file, error);
  }
}

function refusal(file: string, cause: unknown): ConfigError {
  return new ConfigError(`database: sqlite:${file} cannot be used: ${reasonOf(cause)}`, { cause });
}

function reasonOf(error: unknown): string {
  const { errcode, message } = error as Error & { errcode?: number };
  if (errcode === SQLITE_BUSY) return 'another controller uses it, and a database belongs to one';
  // Kysely's words for a migration that the database has and this program lacks.
  const missing = /previously executed migration (\S+) is missing/.exec(message)?.[1];
  return missing === undefined ? message : `a newer version wrote it (${missing} is not known to this one)`;
}
