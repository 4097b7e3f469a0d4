import type { Kysely, Selectable } from 'kysely';
import { z } from 'zod';
import type { RolloutEventTable, Tables } from './tables.ts';

/** One event of a rollout as callers get it. `at` is ISO 8601; the other fields are those of its kind. */
export interface StoredEvent {
  seq: number;
  at: string;
  kind: string;
  [field: string]: unknown;
}

const fields = z.record(z.string(), z.unknown());

/** The events of rollouts, as they are written down. */
export class RolloutEventRecords {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** Those after number `after`, in their order, at most `limit`. */
  async read(operationId: string, { after, limit }: { after: number; limit: number }): Promise<StoredEvent[]> {
    const rows = await this.#db
      .selectFrom('rollout_events')
      .selectAll()
      .where('operation_id', '=', operationId)
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(limit)
      .execute();
    return rows.map(eventOf);
  }

  /** All that changed where the rollout is, which its progress does not. */
  async changes(operationId: string): Promise<StoredEvent[]> {
    const rows = await this.#db
      .selectFrom('rollout_events')
      .selectAll()
      .where('operation_id', '=', operationId)
      .where('kind', '<>', 'progress')
      .orderBy('seq')
      .execute();
    return rows.map(eventOf);
  }

  /** The number and time of the last event; undefined where there is none. */
  async last(operationId: string): Promise<{ seq: number; at: string } | undefined> {
    return await this.#db
      .selectFrom('rollout_events')
      .select(['seq', 'at'])
      .where('operation_id', '=', operationId)
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
  }
}

function eventOf({ seq, at, kind, body }: Selectable<RolloutEventTable>): StoredEvent {
  return { seq, at, kind, ...fields.parse(JSON.parse(body)) };
}
