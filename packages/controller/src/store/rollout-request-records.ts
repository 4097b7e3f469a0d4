import type { Kysely } from 'kysely';
import { isPostgres } from './is-postgres.ts';
import { notifyChanges } from './postgres-changes.ts';
import type { SharedClock } from './shared-clock.ts';
import type { Tables } from './tables.ts';

/** One that its rollout's controller has not looked at yet. */
export interface OpenRequest {
  id: string;
  operationId: string;
  request: string;
  who: string;
}

/** What is asked of rollouts that another controller carries out. */
export class RolloutRequestRecords {
  readonly #db: Kysely<Tables>;
  readonly #owner: string;
  readonly #clock: SharedClock;

  /** `owner`: as whose rollouts this controller's are written down. */
  constructor(db: Kysely<Tables>, { owner, clock }: { owner: string; clock: SharedClock }) {
    this.#db = db;
    this.#owner = owner;
    this.#clock = clock;
  }

  /** Durable when it resolves, with the request's id. */
  async ask({ operationId, request, who }: Omit<OpenRequest, 'id'>): Promise<string> {
    const id = this.#clock.newId();
    const asked_at = this.#clock.now();
    await this.#db.transaction().execute(async (trx) => {
      await trx
        .insertInto('rollout_requests')
        .values({ id, operation_id: operationId, request, who, asked_at, answer: null })
        .execute();
      if (isPostgres(trx)) await notifyChanges(trx, [operationId]);
    });
    return id;
  }

  /** What the rollout's controller said to it: `OK`, or the state in which it is refused; undefined: nothing yet. */
  async answer(id: string): Promise<string | undefined> {
    const query = this.#db.selectFrom('rollout_requests').select('answer').where('id', '=', id);
    return (await query.executeTakeFirst())?.answer ?? undefined;
  }

  /** Those of these rollouts that nobody has looked at, in their order. */
  async open(operationIds: readonly string[]): Promise<OpenRequest[]> {
    if (operationIds.length === 0) return [];
    const rows = await this.#db
      .selectFrom('rollout_requests')
      .select(['id', 'operation_id', 'request', 'who'])
      .where('operation_id', 'in', operationIds)
      .where('answer', 'is', null)
      .orderBy('id')
      .execute();
    return rows.map(({ id, operation_id, request, who }) => ({ id, operationId: operation_id, request, who }));
  }

  /** Said to one of a rollout that this controller carries out; nothing where another one does by now. */
  async answered({ id, operationId }: OpenRequest, answer: string): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      const own = trx.selectFrom('rollouts').select('operation_id').where('owner', '=', this.#owner);
      const asked = trx.updateTable('rollout_requests').set({ answer }).where('id', '=', id);
      await asked.where('operation_id', 'in', own.where('operation_id', '=', operationId)).execute();
      if (isPostgres(trx)) await notifyChanges(trx, [operationId]);
    });
  }
}
