import type { Logger } from '@sampan/shared/logger.ts';
import type { Kysely } from 'kysely';
import { openDatabase } from './open-database.ts';
import { pruneAudit } from './prune-audit.ts';
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
  db: Kysely<Tables>;
  /** For what is written after the fact. */
  later: WriteBehind;
  /** Why nothing can be written now, in the database's words; undefined when it can. Tried at most once a second. */
  fault(): Promise<string | undefined>;
  /** Writes what still waits, and lets go of the database. */
  close(): Promise<void>;
}

export interface StoreOptions {
  auditKeptMs?: number;
  /** Another controller has the database now: this one must not go on. */
  onTakenOver?: () => void;
}

const AUDIT_KEPT_MS = 400 * 24 * 3_600_000;

/**
 * Opens the database in a file, or the PostgreSQL one that a URL names, as the one controller that uses it.
 * @throws ConfigError that says in words why it cannot.
 */
export async function openStore(
  location: string,
  log: Logger,
  { auditKeptMs = AUDIT_KEPT_MS, onTakenOver = () => undefined }: StoreOptions = {},
): Promise<Store> {
  const db = await openDatabase(location, { log, onTakenOver });
  const later = new WriteBehind(db, log);
  const closing = new AbortController();
  const prune = async () => {
    try {
      const rollouts = await pruneRollouts(db, closing.signal);
      const auditLines = await pruneAudit(db, auditKeptMs, closing.signal);
      if (rollouts + auditLines > 0) log.info({ rollouts, auditLines }, 'what is old was deleted');
    } catch (error) {
      log.error({ err: error }, 'what is old could not be deleted');
    }
  };
  let pruning = prune();
  const timer = setInterval(() => {
    pruning = pruning.then(prune);
  }, PRUNE_EVERY_MS).unref();
  return {
    rollouts: new RolloutRecords(db, later),
    db,
    later,
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
