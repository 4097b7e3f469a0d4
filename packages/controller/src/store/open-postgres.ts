import { ConfigError } from '@sampan/shared/load-config.ts';
import type { Logger } from '@sampan/shared/logger.ts';
import { Kysely } from 'kysely';
import { migrate, reasonNotMigrated } from './migrate.ts';
import { UnlockedPostgresDialect } from './postgres-dialect.ts';
import { type PoolOptions, postgresPool } from './postgres-pool.ts';
import type { Tables } from './tables.ts';

/**
 * Opens a PostgreSQL database and brings its tables up to date. Any number of controllers may have it open.
 * @throws ConfigError in words, without the password.
 */
export async function openPostgres(url: string, log?: Logger): Promise<Kysely<Tables>> {
  const db = postgresDatabase(url, { log });
  try {
    await migrate(db);
    return db;
  } catch (error) {
    await db.destroy();
    throw new ConfigError(`database: ${shownLocation(url)} cannot be used: ${reasonOf(error)}`, { cause: error });
  }
}

/** The same with connections of its own, once it is up to date. */
export function postgresDatabase(url: string, options: PoolOptions): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new UnlockedPostgresDialect({ pool: postgresPool(url, options) }) });
}

/** Whether `database` of the configuration names a server, and not a file. */
export function isPostgresUrl(location: string): boolean {
  return /^postgres(ql)?:\/\//.test(location);
}

/** Where a database is, without who may go in: the path of a file as it is. */
export function shownLocation(location: string): string {
  const parsed = URL.parse(location);
  return parsed ? `${parsed.protocol}//${parsed.host}${parsed.pathname}` : location;
}

function reasonOf(error: unknown): string {
  const { message, code } = error as Error & { code?: string };
  if (message.startsWith('unsupported startup parameter'))
    return `${message}; a pooler has to ignore it, as docs/pgbouncer.ini does`;
  return reasonNotMigrated(error) ?? (message === '' ? (code ?? 'unknown') : message);
}
