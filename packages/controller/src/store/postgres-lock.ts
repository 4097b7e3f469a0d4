import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@sampan/shared/logger.ts';
import pg from 'pg';

/** Any number that nobody else takes: the advisory lock of a database that a controller uses. */
const KEY = 0x53_61_6d_70;
const RETRY_MS = 1_000;

/** How the one controller of a database opens it. */
export interface Exclusively {
  log: Logger;
  /** Called when another controller has taken the database over: this one must not go on. */
  onTakenOver: () => void;
}

/** That this process is the one controller of a database. */
export interface PostgresLock {
  release(): Promise<void>;
}

/**
 * Takes the lock on a connection of its own; the server takes it back when that ends. After a break it is taken again, from our own
 * session too, where the server has not noticed that its wire was cut. Where another has it by then, `onTakenOver` is called.
 * Undefined: another controller has it.
 */
export async function takePostgresLock(
  settings: pg.ClientConfig,
  { log, onTakenOver }: Exclusively,
): Promise<PostgresLock | undefined> {
  let isReleased = false;
  let held = await tryLock(settings);
  if (!held) return undefined;

  const again = async () => {
    while (!isReleased) {
      await delay(RETRY_MS);
      try {
        const next = await tryLock(settings, held?.session);
        if (isReleased) return await next?.client.end();
        if (!next) return onTakenOver();
        held = next;
        watch(next.client);
        log.info('the lock of the database is held again');
        return;
      } catch (err) {
        log.debug({ err }, 'the lock of the database cannot be taken again yet');
      }
    }
  };
  const watch = (client: pg.Client) => {
    client.once('end', () => {
      if (isReleased) return;
      log.warn('the connection that holds the lock of the database broke');
      void again();
    });
  };
  watch(held.client);
  return {
    async release() {
      isReleased = true;
      await held?.client.end().catch(() => undefined);
    },
  };
}

/** The lock, and the session that holds it: its pid at the server, and since when that has been there. */
interface Held {
  client: pg.Client;
  session: { pid: number; since: string };
}

const SESSION = `select pid, backend_start::text as since from pg_stat_activity where pid = pg_backend_pid()`;
/** Ends the session of ours that lost its wire, if it is still that one. */
const END_OWN = `select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and backend_start::text = $2`;

/** Undefined where another has it. @throws where the server cannot be asked. */
async function tryLock(settings: pg.ClientConfig, own?: Held['session']): Promise<Held | undefined> {
  const client = new pg.Client({ ...settings, application_name: 'sampan-controller lock' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows: ended } = own ? await client.query(END_OWN, [own.pid, own.since]) : { rows: [] };
    // It lets go of the lock in a moment.
    if (ended.length > 0) await delay(RETRY_MS);
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [KEY]);
    const session = (await client.query<Held['session']>(SESSION)).rows[0];
    if (rows[0]?.taken && session) return { client, session };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  await client.end();
  return undefined;
}
