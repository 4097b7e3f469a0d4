import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Exclusively } from './open-postgres.ts';

/** Any number that nobody else takes: the advisory lock of a database that a controller uses. */
const KEY = 0x53_61_6d_70;
const RETRY_MS = 1_000;

/** That this process is the one controller of a database. */
export interface PostgresLock {
  release(): Promise<void>;
}

/**
 * Takes the lock on a connection of its own; the server takes it back when that ends. After a break it is taken again, and where another
 * has it by then, `onTakenOver` is called. Undefined: another controller has it.
 */
export async function takePostgresLock(
  settings: pg.ClientConfig,
  { log, onTakenOver }: Exclusively,
): Promise<PostgresLock | undefined> {
  let isReleased = false;
  let client = await tryLock(settings);
  if (!client) return undefined;

  const again = async () => {
    while (!isReleased) {
      await delay(RETRY_MS);
      try {
        const next = isReleased ? undefined : await tryLock(settings);
        if (isReleased) return await next?.end();
        if (!next) return onTakenOver();
        client = next;
        watch(next);
        log.info('the lock of the database is held again');
        return;
      } catch (err) {
        log.debug({ err }, 'the lock of the database cannot be taken again yet');
      }
    }
  };
  const watch = (held: pg.Client) => {
    held.on('error', () => undefined);
    held.once('end', () => {
      if (isReleased) return;
      log.warn('the connection that holds the lock of the database broke');
      void again();
    });
  };
  watch(client);
  return {
    async release() {
      isReleased = true;
      await client?.end().catch(() => undefined);
    },
  };
}

/** Undefined where another has it. @throws where the server cannot be asked. */
async function tryLock(settings: pg.ClientConfig): Promise<pg.Client | undefined> {
  const client = new pg.Client({ ...settings, application_name: 'sampan-controller lock' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [KEY]);
    if (rows[0]?.taken) return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  await client.end();
  return undefined;
}
