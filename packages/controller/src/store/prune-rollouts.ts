import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

const KEPT_MS = 30 * 24 * 3_600_000;
const PAGE = 100;

/**
 * Deletes rollouts that ended more than 30 days ago, and the oldest beyond 10,000; never one that runs. One at a time, so
 * that nobody waits for it. Returns how many; ends early once `signal` is aborted.
 */
export async function pruneRollouts(
  db: Kysely<Tables>,
  signal: AbortSignal,
  { keep = 10_000, nowMs = Date.now() } = {},
): Promise<number> {
  const before = new Date(nowMs - KEPT_MS).toISOString();
  let count = 0;
  for (;;) {
    const old = [...(await endedBefore(db, before)), ...(await endedBeyond(db, keep))];
    if (old.length === 0) return count;
    for (const operationId of new Set(old)) {
      if (signal.aborted) return count;
      await db.deleteFrom('rollouts').where('operation_id', '=', operationId).execute();
      count += 1;
      await nextTurn();
    }
  }
}

async function endedBefore(db: Kysely<Tables>, time: string): Promise<string[]> {
  const rows = await db
    .selectFrom('rollouts')
    .select('operation_id')
    .where('ended_at', '<', time)
    .limit(PAGE)
    .execute();
  return rows.map((row) => row.operation_id);
}

async function endedBeyond(db: Kysely<Tables>, keep: number): Promise<string[]> {
  const rows = await db
    .selectFrom('rollouts')
    .select('operation_id')
    .where('ended_at', 'is not', null)
    .orderBy('ended_at', 'desc')
    .offset(keep)
    .limit(PAGE)
    .execute();
  return rows.map((row) => row.operation_id);
}
