import { type ExpressionBuilder, type Kysely, sql } from 'kysely';
import { databaseTime } from './database-time.ts';
import { isPostgres } from './is-postgres.ts';
import type { Membership } from './membership.ts';
import type { Tables } from './tables.ts';

/** So many are looked at in one turn. */
const MOST_AT_ONCE = 50;

/** Why a controller stops to carry out a rollout: another one does by now. */
export class RolloutTakenOver extends Error {
  override readonly name = 'RolloutTakenOver';

  constructor(operationId: string) {
    super(`another controller carries out ${operationId}`);
  }
}

/** That this controller carries out a rollout. What it writes of it counts only while that is so. */
export interface Owned {
  readonly operationId: string;
  readonly owner: string;
  readonly epoch: number;
  /** Aborted with RolloutTakenOver. */
  readonly lost: AbortSignal;
  /** To be called when another controller was found to carry it out. Again: nothing. */
  lose(): void;
}

/**
 * Which rollouts this controller carries out.
 * INVARIANTS: a rollout has one owner, and passes to another only when the controller that has it is dead or has left; each time its
 * epoch grows, and what is still to be written under an older one is not.
 */
export class RolloutOwnership {
  readonly #db: Kysely<Tables>;
  readonly #membership: Membership;
  readonly #owned = new Map<string, Owned>();
  /** Of those, what is being written down just now: it is not there yet. */
  readonly #beginning = new Set<string>();

  constructor(db: Kysely<Tables>, membership: Membership) {
    this.#db = db;
    this.#membership = membership;
  }

  /** As whose rollouts are written down that are begun here. */
  get owner(): string {
    return this.#membership.id;
  }

  /** Whether leases that have run out mean anything; see `Membership`. */
  canJudge(): boolean {
    return this.#membership.canJudge();
  }

  /** Whether a controller has renewed its lease in time. */
  async lives(owner: string): Promise<boolean> {
    const living = this.#db.selectFrom('controllers').select('id').where('id', '=', owner);
    return (await living.where('expires_at', '>', databaseTime(this.#db)).executeTakeFirst()) !== undefined;
  }

  /** Undefined for one that is not carried out here, or not any more. */
  of(operationId: string): Owned | undefined {
    return this.#owned.get(operationId);
  }

  /** Aborted with RolloutTakenOver once another controller carries it out. */
  lost(operationId: string): AbortSignal {
    return this.#owned.get(operationId)?.lost ?? AbortSignal.abort(new RolloutTakenOver(operationId));
  }

  /** It is being written down as this controller's. `written` is to be called when it is. */
  begin(operationId: string): { owned: Owned; written: () => void } {
    this.#beginning.add(operationId);
    return { owned: this.own(operationId, 0), written: () => void this.#beginning.delete(operationId) };
  }

  /** It is this controller's, since it was begun, or since it was taken over. */
  own(operationId: string, epoch: number): Owned {
    const lost = new AbortController();
    const lose = () => {
      if (this.#owned.get(operationId) === owned) this.#owned.delete(operationId);
      if (!lost.signal.aborted) lost.abort(new RolloutTakenOver(operationId));
    };
    const owned = { operationId, owner: this.owner, epoch, lost: lost.signal, lose };
    this.#owned.set(operationId, owned);
    return owned;
  }

  /** It has ended, and all of it is written. */
  drop(operationId: string): void {
    this.#beginning.delete(operationId);
    this.#owned.delete(operationId);
  }

  /**
   * Those that have not ended and that nobody carries out, oldest first: their controller has left or is dead, or it is this one, and a
   * failover of the database took back that they had ended.
   */
  async orphans(): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('rollouts')
      .select('operation_id')
      .where((rollout) => this.#isOrphan(rollout))
      .orderBy('operation_id')
      .limit(MOST_AT_ONCE)
      .execute();
    return rows.map((row) => row.operation_id);
  }

  /** Makes an orphan this controller's. @returns false where another was sooner. */
  async take(operationId: string): Promise<boolean> {
    const taken = await this.#db
      .updateTable('rollouts')
      .set({ owner: this.owner, epoch: sql<number>`epoch + 1` })
      .where('operation_id', '=', operationId)
      .where((rollout) => this.#isOrphan(rollout))
      .returning('epoch')
      .executeTakeFirst();
    if (!taken) return false;
    this.own(operationId, taken.epoch);
    return true;
  }

  /** Finds out which of them others carry out by now. */
  async verify(): Promise<void> {
    const known = [...this.#owned.values()].filter(({ operationId }) => !this.#beginning.has(operationId));
    for (const owned of await notOwned(this.#db, known)) owned.lose();
  }

  #isOrphan({ and, eb, exists, not, or, selectFrom }: ExpressionBuilder<Tables, 'rollouts'>) {
    const known = selectFrom('controllers').select('controllers.id').whereRef('controllers.id', '=', 'rollouts.owner');
    // One that left has no row any more.
    const living = this.canJudge() ? known.where('controllers.expires_at', '>', databaseTime(this.#db)) : known;
    const forgotten = eb('owner', '=', this.owner).and('operation_id', 'not in', [...this.#owned.keys(), '']);
    return and([eb('ended_at', 'is', null), or([eb('owner', 'is', null), not(exists(living)), forgotten])]);
  }
}

/**
 * Which of them are not what the database says any more. In a transaction, those that are stay so until its end: whoever takes one over
 * waits for that.
 */
export async function notOwned(db: Kysely<Tables>, known: readonly Owned[]): Promise<Owned[]> {
  if (known.length === 0) return [];
  const ids = [...new Set(known.map(({ operationId }) => operationId))].sort();
  const query = db
    .selectFrom('rollouts')
    .select(['operation_id', 'owner', 'epoch'])
    .where('operation_id', 'in', ids)
    .orderBy('operation_id');
  // SQLite has one writer at a time anyway.
  const rows = await (db.isTransaction && isPostgres(db) ? query.forNoKeyUpdate() : query).execute();
  const byId = new Map(rows.map((row) => [row.operation_id, row]));
  return known.filter(({ operationId, owner, epoch }) => {
    const row = byId.get(operationId);
    return row?.owner !== owner || row.epoch !== epoch;
  });
}
