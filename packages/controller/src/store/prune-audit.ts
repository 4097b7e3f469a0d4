import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

const PAGE = 500;

/**
 * Deletes what the audit trail has from more than `keepMs` ago; its triggers keep everything that is younger. A little at a
 * time, so that nobody waits for it. Returns how many; ends early once `signal` is aborted.
 */
export async function pruneAudit(
  db: Kysely<Tables>,
  { keepMs, nowMs = Date.now() }: { keepMs: number; nowMs?: number },
  signal: AbortSignal,
): Promise<number> {
  const kept_since = new Date(nowMs - keepMs).toISOString();
  await db
    .insertInto('audit_horizon')
    .values({ id: 1, kept_since })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ kept_since }))
    .execute();
  let count = 0;
  while (!signal.aborted) {
    const old = db.selectFrom('audit').select('id').where('at', '<', kept_since).limit(PAGE);
    const { numDeletedRows } = await db.deleteFrom('audit').where('id', 'in', old).executeTakeFirst();
    if (numDeletedRows === 0n) break;
    count += Number(numDeletedRows);
    await nextTurn();
  }
  return count;
}
