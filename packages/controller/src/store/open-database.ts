import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { ConfigError } from '@sampan/shared/load-config.ts';
import type { Logger } from '@sampan/shared/logger.ts';
import { Kysely } from 'kysely';
import { type ControllerLock, IN_USE, isBusy, takeControllerLock } from './controller-lock.ts';
import { createPrivately } from './create-privately.ts';
import { migrate, migrator, reasonNotMigrated } from './migrate.ts';
import { NodeSqliteDialect } from './node-sqlite-dialect.ts';
import { isPostgresUrl, openPostgres } from './open-postgres.ts';
import type { Tables } from './tables.ts';

/** Long enough for a predecessor that is just ending. Waiting blocks the whole process, so no longer. */
const LOCK_MS = 500;
/** How long a write waits for another process's, likewise: a command of the CLI writes for milliseconds. */
const CONTROLLER_BUSY_MS = 500;
const COMMAND_BUSY_MS = 5_000;
/** For a controller that has just started to bring the tables up to date. */
const MIGRATED_WITHIN_MS = 5_000;

/**
 * Opens the database for the controller: PostgreSQL by its URL (open-postgres.ts), or the embedded one in `file`. That is created where
 * there is none (readable by this user alone: URLs of artifacts may carry credentials), and no other controller can open it until it is
 * closed or this process ends, however it ends. The tables are brought up to date.
 * @throws ConfigError in words: another controller has the file, it cannot be written, it is no database, or one of a newer version.
 */
export async function openDatabase(file: string, log?: Logger): Promise<Kysely<Tables>> {
  if (isPostgresUrl(file)) return await openPostgres(file, log);
  const lock = refusing(file, () => takeControllerLock(file, LOCK_MS));
  if (!lock) throw refusal(file, new Error(IN_USE));
  return await openAndMigrate(file, { busyMs: CONTROLLER_BUSY_MS, onClosed: () => lock.release() }, lock);
}

/**
 * Opens the same database beside the controller, for a command that reads or writes a little and ends. Where no controller
 * runs, it is created and brought up to date, too.
 * @throws ConfigError as `openDatabase` does, and when the controller that runs is of another version.
 */
export async function openBeside(file: string): Promise<Kysely<Tables>> {
  if (isPostgresUrl(file)) return await openPostgres(file);
  const untilMs = performance.now() + MIGRATED_WITHIN_MS;
  for (;;) {
    const lock = refusing(file, () => takeControllerLock(file, 0));
    try {
      if (lock) return await openAndMigrate(file, { busyMs: COMMAND_BUSY_MS }, lock);
      const db = await openMigrated(file);
      if (db) return db;
    } finally {
      lock?.release();
    }
    if (performance.now() > untilMs) {
      throw refusal(file, new Error('the controller that runs is of an older version: restart it first'));
    }
    await wait(100);
  }
}

interface Opening {
  busyMs: number;
  onClosed?: () => void;
}

async function openAndMigrate(file: string, opening: Opening, lock: ControllerLock): Promise<Kysely<Tables>> {
  let db: Kysely<Tables> | undefined;
  try {
    db = open(file, opening);
    await migrate(db);
    return db;
  } catch (error) {
    await db?.destroy();
    lock.release();
    throw refusal(file, error);
  }
}

/** Undefined while tables are missing that a controller makes. */
async function openMigrated(file: string): Promise<Kysely<Tables> | undefined> {
  let db: Kysely<Tables> | undefined;
  try {
    db = open(file, { busyMs: COMMAND_BUSY_MS });
    const known = await migrator(db).getMigrations();
    if (known.some(({ executedAt }) => executedAt === undefined)) {
      await db.destroy();
      return undefined;
    }
    // Nothing is to be done; this finds what a newer version did.
    await migrate(db);
    return db;
  } catch (error) {
    await db?.destroy();
    throw refusal(file, error);
  }
}

function open(file: string, { busyMs, onClosed }: Opening): Kysely<Tables> {
  createPrivately(file);
  const database = new DatabaseSync(file, { timeout: busyMs, enableForeignKeyConstraints: true });
  try {
    database.exec('pragma journal_mode = wal');
    // Every commit is synced, but those of write-behind.ts. What is deleted is overwritten, URLs first of all.
    database.exec('pragma synchronous = full');
    database.exec('pragma secure_delete = on');
    return new Kysely<Tables>({ dialect: new NodeSqliteDialect(database, onClosed) });
  } catch (error) {
    database.close();
    throw error;
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
  if (isBusy(error)) return IN_USE;
  return reasonNotMigrated(error) ?? (error as Error).message;
}
