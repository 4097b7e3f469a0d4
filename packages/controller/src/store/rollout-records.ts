import { DeployError } from '@sampan/shared/errors.ts';
import type { Insertable, Kysely, Selectable, Transaction } from 'kysely';
import { type Fence, LinkLocks, type LockHolder, type LockOrder } from './link-locks.ts';
import { RolloutEventRecords, type StoredEvent } from './rollout-event-records.ts';
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
  projectName?: string;
  requestedBy?: string;
  /** Unique among all that are remembered. */
  idempotencyKey?: string | null;
}

/** What becomes of a rollout when others hold links that it needs: it is not begun; it waits for its turn; those hosts fail. */
export type OnHeld = 'refuse' | 'wait' | 'fail_hosts';

/** The locks that a rollout was given, and who has those that it was not. `fence` is undefined while it has to wait. */
export interface Locked {
  fence: Fence | undefined;
  held: ReadonlyMap<string, LockHolder>;
}

const NOTHING_HELD: Locked = { fence: undefined, held: new Map() };

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

/** A rollout of any time. `state` is empty for those of versions that had none. */
export interface RecordedRollout extends UnansweredRollout {
  state: string;
  requestedBy: string;
}

/** Which rollouts are listed, and from where on: those older than the one of the id `before`. */
export interface RolloutFilters {
  limit: number;
  before?: string | undefined;
  projectName?: string | undefined;
  /** Of these projects only. */
  projects?: readonly string[] | undefined;
  linkName?: string | undefined;
  state?: string | undefined;
}

/** What is remembered of rollouts across the death of this process. */
export class RolloutRecords {
  readonly #db: Kysely<Tables>;
  readonly #later: WriteBehind;
  readonly #unlocked = new Set<{ operationId: string; host: string | undefined }>();
  readonly events: RolloutEventRecords;

  constructor(db: Kysely<Tables>, later: WriteBehind) {
    this.#db = db;
    this.#later = later;
    this.events = new RolloutEventRecords(db);
  }

  /**
   * Durable when it resolves, together with its line of the audit trail and the locks that it takes. Ends of other rollouts of the
   * same link that nobody was told are now out of date, and are never told.
   * @throws DeployError STORE_UNWRITABLE, or LINK_HELD where it was to be refused: it is not written down, and must not be begun.
   */
  async begin(
    rollout: NewRollout,
    audit?: Insertable<Tables['audit']>,
    locks?: { order: LockOrder; onHeld: OnHeld },
  ): Promise<Locked> {
    try {
      return await this.#db.transaction().execute(async (trx) => {
        await this.#letGoOfUnlocked(trx);
        const startedAt = now();
        await trx
          .updateTable('rollouts')
          .set({ answered_at: startedAt })
          .where('link_name', '=', rollout.linkName)
          .where('answered_at', 'is', null)
          .where('ended_at', 'is not', null)
          .execute();
        await trx.insertInto('rollouts').values(rowOf(rollout, startedAt)).execute();
        if (audit) await trx.insertInto('audit').values(audit).execute();
        return locks ? await takeLocks(trx, locks) : NOTHING_HELD;
      });
    } catch (cause) {
      if (cause instanceof DeployError) throw cause;
      throw unwritable(cause);
    }
  }

  /** Takes the links that a rollout waits for, all of them or none. Those who wait for longer come first. */
  async lockInTurn(order: LockOrder): Promise<Locked> {
    return await this.#db.transaction().execute(async (trx) => {
      await this.#letGoOfUnlocked(trx);
      const first = await trx
        .selectFrom('rollouts')
        .select('operation_id')
        .where('state', '=', 'queued')
        .where('ended_at', 'is', null)
        .where('link_name', '=', order.link.split('/').at(-1) ?? '')
        .where('operation_id', '<', order.operationId)
        .executeTakeFirst();
      return first ? NOTHING_HELD : await takeLocks(trx, { order, onHeld: 'wait' });
    });
  }

  /** Takes the links of a rollout that goes on after a restart, as far as nobody else has them by now. */
  async lockAgain(order: LockOrder): Promise<Locked> {
    return await this.#db.transaction().execute((trx) => takeLocks(trx, { order, onHeld: 'fail_hosts' }));
  }

  /** The leases of what runs last for some more seconds. Nothing goes wrong before they have ended. */
  async renewLocks(operationIds: readonly string[]): Promise<void> {
    await new LinkLocks(this.#db).renew(operationIds);
  }

  /** Written soon: what an operation held on a host, or on all of them, is free for others. */
  unlock(operationId: string, host?: string): void {
    const unlocked = { operationId, host };
    this.#unlocked.add(unlocked);
    this.#later.add({ kind: 'unlocked', ...unlocked, onWritten: () => this.#unlocked.delete(unlocked) });
  }

  /** What was let go of, and could not be written yet, is in nobody's way. */
  async #letGoOfUnlocked(trx: Transaction<Tables>): Promise<void> {
    const locks = new LinkLocks(trx);
    for (const { operationId, host } of this.#unlocked) await locks.letGo(operationId, host);
  }

  /** Written soon, and in order. `onWritten` is called once it can be read. */
  happened(
    operationId: string,
    { seq, at, kind, ...body }: StoredEvent,
    { state, onWritten }: { state: string | undefined; onWritten: () => void },
  ): void {
    const row = { operation_id: operationId, seq, at, kind, body: JSON.stringify(body) };
    this.#later.add({ kind: 'event', row, state, onWritten });
  }

  /** Resolves when all that was told so far is written, or could not be and will be later. */
  async written(): Promise<void> {
    await this.#later.flush();
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

  /** A rollout by its id, or by its idempotency key; undefined where there is none. */
  async find(by: { operationId: string } | { idempotencyKey: string }): Promise<RecordedRollout | undefined> {
    const query = this.#db.selectFrom('rollouts').selectAll();
    const row = await ('operationId' in by
      ? query.where('operation_id', '=', by.operationId)
      : query.where('idempotency_key', '=', by.idempotencyKey)
    ).executeTakeFirst();
    return row && recordedOf(row, await this.#outcomesOf(row.operation_id));
  }

  /** Newest first. */
  async list(filters: RolloutFilters): Promise<RecordedRollout[]> {
    const rows = await this.#rows(filters);
    return await Promise.all(rows.map(async (row) => recordedOf(row, await this.#outcomesOf(row.operation_id))));
  }

  /** The same, of each only what was asked for, in one query. */
  async plans(filters: RolloutFilters): Promise<Pick<NewRollout, 'operationId' | 'plan' | 'fileUrl'>[]> {
    const rows = await this.#rows(filters);
    return rows.map(({ operation_id, plan, file_url }) => ({
      operationId: operation_id,
      plan,
      fileUrl: file_url ?? '',
    }));
  }

  async #rows({ limit, before, ...filters }: RolloutFilters): Promise<Selectable<Tables['rollouts']>[]> {
    let query = this.#db.selectFrom('rollouts').selectAll();
    if (filters.projectName !== undefined) query = query.where('project_name', '=', filters.projectName);
    if (filters.projects !== undefined) query = query.where('project_name', 'in', [...filters.projects, '']);
    if (filters.linkName !== undefined) query = query.where('link_name', '=', filters.linkName);
    if (filters.state !== undefined) query = query.where('state', '=', filters.state);
    if (before !== undefined) query = query.where('operation_id', '<', before);
    return await query.orderBy('operation_id', 'desc').limit(limit).execute();
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

async function takeLocks(
  trx: Transaction<Tables>,
  { order, onHeld }: { order: LockOrder; onHeld: OnHeld },
): Promise<Locked> {
  const locks = new LinkLocks(trx);
  const held = await locks.take(order);
  const [first] = held.values();
  if (first && onHeld === 'refuse') throw linkHeld(first);
  if (first && onHeld === 'wait') {
    await locks.letGo(order.operationId);
    return { fence: undefined, held };
  }
  return { fence: await locks.nextFence(), held };
}

/** What is told of a link that somebody else has. */
export function linkHeld({ project, version, operationId, since }: LockHolder): DeployError<'LINK_HELD'> {
  return new DeployError('LINK_HELD', { project, release: version, operationId, since });
}

function rowOf(rollout: NewRollout, startedAt: string): Insertable<Tables['rollouts']> {
  return {
    operation_id: rollout.operationId,
    plan_key: rollout.planKey,
    link_name: rollout.linkName,
    plan: rollout.plan,
    file_url: rollout.fileUrl,
    started_at: startedAt,
    state: 'queued',
    project_name: rollout.projectName ?? '',
    requested_by: rollout.requestedBy ?? '',
    idempotency_key: rollout.idempotencyKey ?? null,
  };
}

function recordedOf(
  row: Selectable<Tables['rollouts']>,
  outcomes: readonly Selectable<HostOutcomeTable>[],
): RecordedRollout {
  return { ...unansweredOf(row, outcomes), state: row.state, requestedBy: row.requested_by };
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
