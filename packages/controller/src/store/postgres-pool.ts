import type { Logger } from '@sampan/shared/logger.ts';
import type { PostgresPool } from 'kysely';
import pg from 'pg';
import { postgresSettings } from './postgres-settings.ts';

const MAX_CONNECTIONS = 10;

export interface PoolOptions {
  log?: Logger | undefined;
  /** Connections at one time. */
  max?: number;
}

/** What a server says that is no primary any more: `read_only_sql_transaction`, `object_not_in_prerequisite_state`, shutting down. */
const NO_PRIMARY = ['25006', '55000', '57P01', '57P02', '57P03'];

/**
 * Connections to the database, which are not used again once they lead nowhere: to a server that was made a standby in a failover, or
 * behind a wire that was cut.
 */
export function postgresPool(url: string, { log, max = MAX_CONNECTIONS }: PoolOptions = {}): PostgresPool {
  const pool = new pg.Pool({ ...postgresSettings(url, 'sampan-controller'), max, verify: refuseStandby });
  // One that breaks between two statements of a transaction tells nobody else, and would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  // An idle connection that breaks: the next query makes another.
  pool.on('error', (err) => log?.warn({ err }, 'a connection to the database broke'));
  const connect = async () => watched(await pool.connect());
  // Kysely takes from it what is here.
  return { options: pool.options, end: () => pool.end(), connect } as unknown as PostgresPool;
}

/** A standby answers what is asked, as it was a while ago, and takes no writes: one that is let in would be found out by somebody's deploy. */
function refuseStandby(client: pg.PoolClient, done: (error?: Error) => void): void {
  client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby').then(
    ({ rows }) => done(rows[0]?.standby ? new Error('the server is a standby, which takes no writes') : undefined),
    (error: unknown) => done(error as Error),
  );
}

/** The same client, which is thrown away at its release if it leads nowhere. */
function watched(client: pg.PoolClient) {
  const send: (...args: unknown[]) => Promise<unknown> = client.query.bind(client);
  let leadsNowhere = false;
  return {
    async query(...args: unknown[]): Promise<unknown> {
      try {
        return await send(...args);
      } catch (error) {
        const { code, message } = error as Error & { code?: string };
        leadsNowhere ||= message === 'Query read timeout' || NO_PRIMARY.includes(code ?? '');
        throw error;
      }
    },
    release: (discard = false) => client.release(discard || leadsNowhere),
  };
}
