import { ConfigError } from '@sampan/shared/load-config.ts';
import type { Logger } from '@sampan/shared/logger.ts';
import type { Kysely } from 'kysely';
import { abortable } from '../abortable.ts';
import { Changes } from './changes.ts';
import { joinControllers } from './membership.ts';
import { openDatabase } from './open-database.ts';
import { isPostgresUrl, postgresDatabase, shownLocation } from './open-postgres.ts';
import { listenForChanges } from './postgres-changes.ts';
import { pruneAudit } from './prune-audit.ts';
import { pruneRollouts } from './prune-rollouts.ts';
import { RolloutOwnership } from './rollout-ownership.ts';
import { RolloutRecords } from './rollout-records.ts';
import { SharedClock } from './shared-clock.ts';
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
  /** Why nothing can be written now, in the database's words; undefined when it can. Tried at most once a second, and for two. Never throws. */
  fault(): Promise<string | undefined>;
  /** Writes what still waits; then other controllers may carry on with what this one leaves. Again: nothing. */
  leave(): Promise<void>;
  /** The same, and lets go of the database. */
  close(): Promise<void>;
}

export interface StoreOptions {
  auditKeptMs?: number;
}

const ANSWERED_WITHIN_MS = 2_000;
const AUDIT_KEPT_MS = 400 * 24 * 3_600_000;

/**
 * Opens the database in a file, as the one controller that uses it, or the PostgreSQL one that a URL names, as one of its controllers.
 * @throws ConfigError that says in words why it cannot.
 */
export async function openStore(
  location: string,
  log: Logger,
  { auditKeptMs = AUDIT_KEPT_MS }: StoreOptions = {},
): Promise<Store> {
  const db = await openDatabase(location, log);
  // Whether this controller lives is not to depend on how busy its other connections are.
  const beats = isPostgresUrl(location) ? postgresDatabase(location, { log, max: 1 }) : db;
  const changes = new Changes();
  const later = new WriteBehind(db, { log, changes });
  const clock = new SharedClock(log);
  const joined = await join({ location, beats, changes, clock, log }).catch(async (error: unknown) => {
    await Promise.all([...new Set([beats, db])].map((one) => one.destroy()));
    throw error;
  });
  const { membership, ownership, listener } = joined;
  const closing = new AbortController();
  const prune = async () => {
    try {
      const rollouts = await pruneRollouts(db, closing.signal, { nowMs: clock.nowMs() });
      const auditLines = await pruneAudit(db, { keepMs: auditKeptMs, nowMs: clock.nowMs() }, closing.signal);
      if (rollouts + auditLines > 0) log.info({ rollouts, auditLines }, 'what is old was deleted');
    } catch (error) {
      log.error({ err: error }, 'what is old could not be deleted');
    }
  };
  let pruning = prune();
  const timer = setInterval(() => {
    pruning = pruning.then(prune);
  }, PRUNE_EVERY_MS).unref();
  let leaving: Promise<void> | undefined;
  const leave = () => (leaving ??= later.flush().then(() => membership.leave()));
  return {
    leave,
    rollouts: new RolloutRecords(db, { later, ownership, changes, clock }),
    db,
    later,
    fault: lookAtMostEvery(LOOK_EVERY_MS, () => tryToWrite(db)),
    async close() {
      clearInterval(timer);
      closing.abort();
      await pruning;
      await leave();
      await later.flush();
      await listener?.close();
      await Promise.all([...new Set([beats, db])].map((one) => one.destroy()));
    },
  };
}

/** Takes its place among the controllers of the database. @throws ConfigError */
async function join({ location, beats, changes, clock, log }: Joining) {
  try {
    const membership = await joinControllers(beats, { log, clock, onBeat: () => ownership.verify() });
    const ownership = new RolloutOwnership(beats, membership);
    const listener = isPostgresUrl(location) ? await listenForChanges(location, changes, log) : undefined;
    return { membership, ownership, listener };
  } catch (cause) {
    const reason = isPostgresUrl(location) ? (cause as Error).message : writeFault(cause);
    throw new ConfigError(`database: ${shownLocation(location)} cannot be used: ${reason}`, { cause });
  }
}

interface Joining {
  location: string;
  /** For what must not wait for anything else. */
  beats: Kysely<Tables>;
  changes: Changes;
  clock: SharedClock;
  log: Logger;
}

/** Whoever asks is told within two seconds; a database that does not answer is not asked again before it has. */
function lookAtMostEvery(everyMs: number, look: () => Promise<string | undefined>): () => Promise<string | undefined> {
  let last: { atMs: number; found: Promise<string | undefined>; isPending: boolean } | undefined;
  return async () => {
    if (!last || (!last.isPending && performance.now() - last.atMs > everyMs)) {
      const looking = { atMs: performance.now(), found: look(), isPending: true };
      void looking.found.finally(() => {
        looking.isPending = false;
      });
      last = looking;
    }
    return await abortable(last.found, AbortSignal.timeout(ANSWERED_WITHIN_MS)).catch(() => 'it does not answer');
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
