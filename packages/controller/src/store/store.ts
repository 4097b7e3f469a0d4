import type { Logger } from '@sampan/shared/logger.ts';
import type { Kysely } from 'kysely';
import { openDatabase } from './open-database.ts';
import { pruneRollouts } from './prune-rollouts.ts';
import { RolloutRecords } from './rollout-records.ts';
import { writeFault } from './store-error.ts';
import type { Tables } from './tables.ts';
import { WriteBehind } from './write-behind.ts';

const PRUNE_EVERY_MS = 3_600_000;
/** Each look is a write that is synced, and anybody may ask. */
const LOOK_EVERY_MS = 1_000;

/** What a controller remembers across its own death. */
export interface Store {
  rollouts: RolloutRecords;
  /** Why nothing can be written now, in the database's words; undefined when it can. Tried at most once a second. */
  fault(): Promise<string | undefined>;
  /** Writes what still waits, and lets go of the database. */
  close(): Promise<void>;
}

/** Opens the database in `file`; only one process can have it open. @throws ConfigError that says in words why it cannot. */
export async function openStore(file: string, log: Logger): Promise<Store> {
  const db = await openDatabase(file);
  const later = new WriteBehind(db, log);
  const closing = new AbortController();
  const prune = () =>
    pruneRollouts(db, closing.signal).then(
      (count) => count > 0 && log.info({ count }, 'old rollouts were deleted'),
      (error: unknown) => log.error({ err: error }, 'old rollouts could not be deleted'),
    );
  let pruning = prune();
  const timer = setInterval(() => {
    pruning = pruning.then(prune);
  }, PRUNE_EVERY_MS).unref();
  return {
    rollouts: new RolloutRecords(db, later),
    fault: lookAtMostEvery(LOOK_EVERY_MS, () => tryToWrite(db)),
    async close() {
      clearInterval(timer);
      closing.abort();
      await pruning;
      await later.flush();
      await db.destroy();
    },
  };
}

function lookAtMostEvery<T>(everyMs: number, look: () => Promise<T>): () => Promise<T> {
  let last: { atMs: number; found: Promise<T> } | undefined;
  return () => {
    if (!last || performance.now() - last.atMs > everyMs) last = { atMs: performance.now(), found: look() };
    return last.found;
  };
}

async function tryToWrite(db: Kysely<Tables>): Promise<string | undefined> {
  const row = { id: 1, written_at: new Date().toISOString() };
  try {
    await db
      .insertInto('store_check')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ written_at: row.written_at }))
      .execute();
    return undefined;
  } catch (error) {
    return writeFault(error);
  }
}
