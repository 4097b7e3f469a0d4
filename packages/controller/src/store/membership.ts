import { randomUUIDv7 } from 'node:crypto';
import type { Logger } from '@sampan/shared/logger.ts';
import type { Kysely } from 'kysely';
import { databaseTime } from './database-time.ts';
import { isPostgres } from './is-postgres.ts';
import type { SharedClock } from './shared-clock.ts';
import type { Tables } from './tables.ts';

/** A controller that has not been heard of for so long has died: what it carried out passes to another. */
const LEASE_MS = 6_000;
/** Three chances in a lease, and one more to be late. */
const BEAT_MS = 1_500;
/** Whoever could not reach the database for so long may have missed that others could not, either: their last beat may be one older, and their next one later. */
const STEADY_GAP_MS = LEASE_MS - 2 * BEAT_MS;
const FORGOTTEN_AFTER_MS = -24 * 3_600_000;
/** Of a database that belongs to one controller. */
const FOR_EVER = '9999-12-31T23:59:59.999Z';

/** This process among the controllers of a database. */
export interface Membership {
  /** New for each process, so that it never takes what it had in an earlier life for its own. */
  readonly id: string;
  /**
   * Whether leases of others that have run out mean anything: not to one who could not reach the database for a while itself. While
   * the database was away nobody could renew, and whoever comes back first must not take everything from everybody.
   */
  canJudge(): boolean;
  /** Another is to carry on with what this one had. */
  leave(): Promise<void>;
}

interface Joining {
  log: Logger;
  /** Is told what the database's shows, at each beat. */
  clock: SharedClock;
  /** Called at each beat, when the database has been reached. */
  onBeat: () => Promise<void>;
}

/** Joins, and stays until it leaves. */
export async function joinControllers(db: Kysely<Tables>, joining: Joining): Promise<Membership> {
  const id = randomUUIDv7();
  if (isPostgres(db)) return await joinOthers(db, id, joining);
  // A file belongs to one: whoever is in it is dead.
  await db.deleteFrom('controllers').execute();
  await db
    .insertInto('controllers')
    .values({ id, joined_at: databaseTime(db), expires_at: FOR_EVER })
    .execute();
  return { id, canJudge: () => true, leave: async () => undefined };
}

async function joinOthers(db: Kysely<Tables>, id: string, { log, clock, onBeat }: Joining): Promise<Membership> {
  await db.deleteFrom('controllers').where('expires_at', '<', databaseTime(db, FORGOTTEN_AFTER_MS)).execute();
  await renew(db, id, clock);
  let reachedMs = performance.now();
  let steadySinceMs = reachedMs;
  let hasLeft = false;
  let beating = Promise.resolve();

  async function beat(): Promise<void> {
    try {
      await renew(db, id, clock);
      if (performance.now() - reachedMs > STEADY_GAP_MS) steadySinceMs = performance.now();
      reachedMs = performance.now();
    } catch (err) {
      log.warn({ err }, 'the database cannot be told that this controller lives');
    }
    await onBeat().catch((err: unknown) => log.warn({ err }, 'the database cannot be asked for what others took over'));
    if (!hasLeft) timer = setTimeout(start, BEAT_MS).unref();
  }
  const start = () => {
    beating = beat();
  };
  let timer = setTimeout(start, BEAT_MS).unref();
  return {
    id,
    canJudge() {
      const nowMs = performance.now();
      return nowMs - reachedMs < STEADY_GAP_MS && nowMs - steadySinceMs >= LEASE_MS;
    },
    async leave() {
      hasLeft = true;
      clearTimeout(timer);
      await beating;
      await db
        .deleteFrom('controllers')
        .where('id', '=', id)
        .execute()
        .catch((err: unknown) => log.warn({ err }, 'the database cannot be told that this controller ends'));
    },
  };
}

async function renew(db: Kysely<Tables>, id: string, clock: SharedClock): Promise<void> {
  const expires_at = databaseTime(db, LEASE_MS);
  const fromMs = Date.now();
  const { now } = await db
    .insertInto('controllers')
    .values({ id, joined_at: databaseTime(db), expires_at })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ expires_at }))
    .returning(databaseTime(db).as('now'))
    .executeTakeFirstOrThrow();
  clock.compare(Date.parse(now), { fromMs, toMs: Date.now() });
}
