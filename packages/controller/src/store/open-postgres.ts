import { ConfigError } from '@sampan/shared/load-config.ts';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { IN_USE } from './controller-lock.ts';
import { migrate, reasonNotMigrated } from './migrate.ts';
import { type Exclusively, takePostgresLock } from './postgres-lock.ts';
import type { Tables } from './tables.ts';

const MAX_CONNECTIONS = 10;
const CONNECT_MS = 5_000;
/** No statement of ours takes long; one that does waits for a lock, or for a server that is gone. */
const STATEMENT_MS = 15_000;

/**
 * Opens a PostgreSQL database and brings its tables up to date; with `exclusively`, as its one controller: no other can until it is
 * closed, or this process or its connection ends.
 * @throws ConfigError in words, without the password.
 */
export async function openPostgres(url: string, exclusively?: Exclusively): Promise<Kysely<Tables>> {
  const settings = { connectionString: url, connectionTimeoutMillis: CONNECT_MS, keepAlive: true };
  try {
    const lock = exclusively && (await takePostgresLock(settings, exclusively));
    if (exclusively && !lock) throw new Error(IN_USE);
    const pool = new pg.Pool({
      ...settings,
      max: MAX_CONNECTIONS,
      statement_timeout: STATEMENT_MS,
      application_name: 'sampan-controller',
    });
    // One that breaks between two statements of a transaction tells nobody else, and would end the process.
    pool.on('connect', (client) => client.on('error', () => undefined));
    // An idle connection that breaks: the next query makes another.
    pool.on('error', (err) => exclusively?.log.warn({ err }, 'a connection to the database broke'));
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
    const destroy = db.destroy.bind(db);
    db.destroy = async () => {
      await destroy();
      await lock?.release();
    };
    await migrate(db).catch(async (error: unknown) => {
      await db.destroy();
      throw error;
    });
    return db;
  } catch (error) {
    throw new ConfigError(`database: ${shownLocation(url)} cannot be used: ${reasonOf(error)}`, { cause: error });
  }
}

/** Where a database is, without who may go in: the path of a file as it is. */
export function shownLocation(location: string): string {
  const parsed = URL.parse(location);
  return parsed ? `${parsed.protocol}//${parsed.host}${parsed.pathname}` : location;
}

function reasonOf(error: unknown): string {
  const { message, code } = error as Error & { code?: string };
  return reasonNotMigrated(error) ?? (message === '' ? (code ?? 'unknown') : message);
}
