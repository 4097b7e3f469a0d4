import { type Kysely, PostgresAdapter } from 'kysely';

/** Whether a database is PostgreSQL; SQLite otherwise. Everything but a few statements is the same on both. */
export function isPostgres<T>(db: Kysely<T>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}
