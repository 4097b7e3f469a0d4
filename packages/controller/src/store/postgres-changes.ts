import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@sampan/shared/logger.ts';
import { sql, type Transaction } from 'kysely';
import pg from 'pg';
import type { Changes } from './changes.ts';
import { postgresSettings } from './postgres-settings.ts';
import type { Tables } from './tables.ts';

/** Each message is a rollout's id: far below the 8,000 bytes at which NOTIFY rolls the transaction back. */
const CHANNEL = 'sampan_changes';
const RETRY_MS = 1_000;
/** A listener that hears nothing does not see that its wire was cut. */
const ASK_EVERY_MS = 10_000;

/** Tells every controller of the database, once the transaction is committed. */
export async function notifyChanges(trx: Transaction<Tables>, operationIds: Iterable<string>): Promise<void> {
  const ids = [...new Set(operationIds)];
  if (ids.length === 0) return;
  await sql`select pg_notify(${CHANNEL}, id) from unnest(${ids}::text[]) as id`.execute(trx);
}

/** Hears what all controllers tell, on a connection of its own; after a break, whatever was missed counts as told. */
export async function listenForChanges(
  url: string,
  changes: Changes,
  log: Logger,
): Promise<{ close(): Promise<void> }> {
  const closing = new AbortController();
  let client = await listen(url, changes);
  const again = async () => {
    for (;;) {
      await ended(client, closing.signal);
      if (closing.signal.aborted) return;
      log.warn('the connection that hears of changes in the database broke');
      for (;;) {
        await delay(RETRY_MS, undefined, { signal: closing.signal }).catch(() => undefined);
        if (closing.signal.aborted) return;
        const next = await listen(url, changes).catch(() => undefined);
        if (!next) continue;
        client = next;
        break;
      }
      changes.hintAll();
      log.info('changes in the database are heard of again');
    }
  };
  const listening = again();
  return {
    async close() {
      closing.abort();
      await listening;
      await client.end().catch(() => undefined);
    },
  };
}

async function listen(url: string, changes: Changes): Promise<pg.Client> {
  const client = new pg.Client(postgresSettings(url, 'sampan-controller listener'));
  client.on('error', () => undefined);
  client.on('notification', ({ payload = '' }) => changes.hint(payload));
  try {
    await client.connect();
    await client.query(`listen ${CHANNEL}`);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

/** Resolves when the connection has ended, or does not answer any more; or when `signal` is aborted. */
async function ended(client: pg.Client, signal: AbortSignal): Promise<void> {
  const end = new AbortController();
  client.once('end', () => end.abort());
  const stop = AbortSignal.any([signal, end.signal]);
  while (!stop.aborted) {
    await delay(ASK_EVERY_MS, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return;
    try {
      // A server that became a standby has listeners, too, and nobody who tells them.
      const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
      if (rows[0]?.standby) break;
    } catch {
      break;
    }
  }
  if (!signal.aborted) await client.end().catch(() => undefined);
}
