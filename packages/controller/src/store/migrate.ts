import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { isPostgres } from './is-postgres.ts';
import { migrationProvider } from './migrations.ts';
import type { Tables } from './tables.ts';

/** Any number that nothing else in the database locks. */
const MIGRATION_LOCK = 3_853_314_791;

/** Brings the tables up to date. Several may at one time: they wait for each other. @throws what went wrong. */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  if (!isPostgres(db)) return await migrateAll(db);
  // A lock that ends with the transaction: a pooler may lend another connection after each.
  await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(trx);
    await migrateAll(trx);
  });
}

async function migrateAll(db: Kysely<Tables>): Promise<void> {
  const { error } = await migrator(db).migrateToLatest();
  if (error !== undefined) throw error;
}

export function migrator(db: Kysely<Tables>): Migrator {
  return new Migrator({ db, provider: migrationProvider });
}

/** Kysely's words for a migration that the database has and this program lacks, in ours; undefined for any other error. */
export function reasonNotMigrated(error: unknown): string | undefined {
  const missing = /previously executed migration (\S+) is missing/.exec((error as Error).message)?.[1];
  return missing && `a newer version wrote it (${missing} is not known to this one)`;
}
