import type { Insertable, Kysely, Selectable } from 'kysely';
import { unwritable } from './store-error.ts';
import type { AuditedEnd, HostOutcomeTable, Tables } from './tables.ts';
import type { WriteBehind } from './write-behind.ts';

/** A rollout as it is written down before anything is sent. `fileUrl` is empty where there is no artifact. */
export interface NewRollout {
  operationId: string;
  planKey: string;
  linkName: string;
  plan: string;
  fileUrl: string;
}

/** What one host came to: `OK` or a code, and the error as JSON. */
export interface RecordedOutcome {
  host: string;
  code: string;
  error: string | null;
}

/** A rollout that nobody was told the end of. Times in milliseconds since the epoch. */
export interface UnansweredRollout extends NewRollout {
  startedAtMs: number;
  /** Undefined: it was running when the process ended. */
  endedAtMs: number | undefined;
  outcomes: readonly (RecordedOutcome & { endedAtMs: number })[];
}

/** What is remembered of rollouts across the death of this process. */
export class RolloutRecords {
  readonly #db: Kysely<Tables>;
  readonly #later: WriteBehind;

  constructor(db: Kysely<Tables>, later: WriteBehind) {
    this.#db = db;
    this.#later = later;
  }

  /**
   * Durable when it resolves, together with its line of the audit trail. Ends of other rollouts of the same link that nobody was told are now out of date, and are
   * never told.
   * @throws DeployError STORE_UNWRITABLE: it is not written down, and must not be begun.
   */
  async begin(rollout: NewRollout, audit?: Insertable<Tables['audit']>): Promise<void> {
    const row = {
      operation_id: rollout.operationId,
      plan_key: rollout.planKey,
      link_name: rollout.linkName,
      plan: rollout.plan,
      file_url: rollout.fileUrl,
      started_at: now(),
    };
    try {
      await this.#db.transaction().execute(async (trx) => {
        await trx
          .updateTable('rollouts')
          .set({ answered_at: row.started_at })
          .where('link_name', '=', row.link_name)
          .where('answered_at', 'is', null)
          .where('ended_at', 'is not', null)
          .execute();
        await trx.insertInto('rollouts').values(row).execute();
        if (audit) await trx.insertInto('audit').values(audit).execute();
      });
    } catch (cause) {
      throw unwritable(cause);
    }
  }

  /** Written soon. */
  hostEnded(operationId: string, { host, code, error }: RecordedOutcome): void {
    this.#later.add({ kind: 'outcome', row: { operation_id: operationId, host, code, error, ended_at: now() } });
  }

  /** Resolves when it is written, or could not be and will be later. The artifact's URL is forgotten. */
  async ended(operationId: string, end?: AuditedEnd): Promise<void> {
    const at = now();
    this.#later.add({ kind: 'ended', operationId, at });
    if (end) this.#later.add({ kind: 'audit ended', operationId, at, end });
    await this.#later.flush();
  }

  /** A caller was told the outcome, or nobody waits for it. Written at once: until it is, a restart would tell it again. */
  answered(operationId: string): void {
    this.#later.add({ kind: 'answered', operationId, at: now() });
    void this.#later.flush();
  }

  /** What was running, or had ended unheard, when the process before this one ended; oldest first. */
  async unanswered(): Promise<UnansweredRollout[]> {
    const rows = await this.#db
      .selectFrom('rollouts')
      .selectAll()
      .where('answered_at', 'is', null)
      .orderBy('started_at')
      .execute();
    return await Promise.all(rows.map(async (row) => unansweredOf(row, await this.#outcomesOf(row.operation_id))));
  }

  async #outcomesOf(operationId: string): Promise<Selectable<HostOutcomeTable>[]> {
    return await this.#db.selectFrom('host_outcomes').selectAll().where('operation_id', '=', operationId).execute();
  }
}

function unansweredOf(
  row: Selectable<Tables['rollouts']>,
  outcomes: readonly Selectable<HostOutcomeTable>[],
): UnansweredRollout {
  return {
    operationId: row.operation_id,
    planKey: row.plan_key,
    linkName: row.link_name,
    plan: row.plan,
    fileUrl: row.file_url ?? '',
    startedAtMs: Date.parse(row.started_at),
    endedAtMs: row.ended_at === null ? undefined : Date.parse(row.ended_at),
    outcomes: outcomes.map(({ host, code, error, ended_at }) => ({
      host,
      code,
      error,
      endedAtMs: Date.parse(ended_at),
    })),
  };
}

function now(): string {
  return new Date().toISOString();
}
