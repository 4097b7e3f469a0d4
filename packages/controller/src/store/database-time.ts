import { type Kysely, type RawBuilder, sql } from 'kysely';
import { isPostgres } from './is-postgres.ts';

/**
 * The database's own clock, `plusMs` from now, as the tables have times. Leases are measured by it: controllers whose clocks
 * differ agree on who has lost one.
 */
export function databaseTime<T>(db: Kysely<T>, plusMs = 0): RawBuilder<string> {
  if (isPostgres(db)) {
    const at = sql`clock_timestamp() + ${plusMs} * interval '1 millisecond'`;
    return sql<string>`to_char((${at}) at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  }
  return sql<string>`strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ${`${plusMs / 1000} seconds`})`;
}
