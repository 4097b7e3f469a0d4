import { DeployError } from '@sampan/shared/errors.ts';
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { Changes } from './changes.ts';
import { isPostgres } from './is-postgres.ts';
import { type Fence, LinkLocks, type LockOrder } from './link-locks.ts';
import {
  type BeginOptions,
  type Locked,
  linkHeld,
  type NewRollout,
  type OnHeld,
  type RecordedOutcome,
  type RecordedRollout,
  type RolloutFilters,
  recordedOf,
  rowOf,
  SameRollout,
} from './recorded-rollout.ts';
import { RolloutEventRecords, type StoredEvent } from './rollout-event-records.ts';
import { notOwned, type Owned, type RolloutOwnership, RolloutTakenOver } from './rollout-ownership.ts';
import { RolloutRequestRecords } from './rollout-request-records.ts';
import { rolloutRows } from './rollout-rows.ts';
import { refuseSame, sameUnheard } from './same-rollout.ts';
import type { SharedClock } from './shared-clock.ts';
import { unwritable } from './store-error.ts';
import type { AuditedEnd, HostOutcomeTable, Tables } from './tables.ts';
import { ToldRollouts } from './told-rollouts.ts';
import { transacted } from './transacted.ts';
import type { WriteBehind } from './write-behind.ts';

const NOTHING_HELD: Locked = { fence: undefined, held: new Map() };

interface RecordsBeside {
  later: WriteBehind;
  ownership: RolloutOwnership;
  changes: Changes;
  clock: SharedClock;
}

/** What is remembered of rollouts across the death of this process. */
export class RolloutRecords {
  readonly #db: Kysely<Tables>;
  readonly #later: WriteBehind;
  readonly #told = new ToldRollouts();
  readonly #unlocked = new Set<{ by: Owned; host: string | undefined }>();
  readonly ownership: RolloutOwnership;
  readonly events: RolloutEventRecords;
  readonly requests: RolloutRequestRecords;
  readonly changes: Changes;
  /** What is stamped, and compared with stamps. */
  readonly clock: SharedClock;

  constructor(db: Kysely<Tables>, { later, ownership, changes, clock }: RecordsBeside) {
    this.#db = db;
    this.#later = later;
    this.ownership = ownership;
    this.events = new RolloutEventRecords(db);
    this.requests = new RolloutRequestRecords(db, { owner: ownership.owner, clock });
    this.changes = changes;
    this.clock = clock;
  }

  /**
   * Durable when it resolves, together with its line of the audit trail and the locks that it takes, and this controller's to carry
   * out. Ends of other rollouts of the same link that nobody was told are now out of date, and are never told.
   * @throws DeployError STORE_UNWRITABLE, or LINK_HELD where it was to be refused; SameRollout. It must not be begun then.
   */
  async begin(rollout: NewRollout, { audit, locks, unlessSameSince }: BeginOptions = {}): Promise<Locked> {
    const { operationId, linkName } = rollout;
    const { owned: by, written } = this.ownership.begin(operationId);
    try {
      const locked = await transacted(this.#db, async (trx) => {
        await this.#letGoOfUnlocked(trx);
        await this.#told.writeWith(trx, this.clock.now());
        if (unlessSameSince !== undefined) await refuseSame(trx, rollout, unlessSameSince);
        const startedAt = this.clock.now();
        await trx
          .updateTable('rollouts')
          .set({ answered_at: startedAt })
          .where('link_name', '=', linkName)
          .where('answered_at', 'is', null)
          .where('ended_at', 'is not', null)
          .execute();
        const { owner } = this.ownership;
        await trx
          .insertInto('rollouts')
          .values({ ...rowOf(rollout, startedAt), owner })
          .execute();
        if (audit)
          await trx
            .insertInto('audit')
            .values({ ...audit, at: startedAt })
            .execute();
        return locks ? await this.#takeLocks(trx, locks) : NOTHING_HELD;
      });
      written();
      return locked;
    } catch (cause) {
      const onWritten = () => this.ownership.drop(operationId);
      if (cause instanceof DeployError || cause instanceof SameRollout) {
        onWritten();
        throw cause;
      }
      // The answer may have been lost on its way, and all of it be there.
      this.#later.add({ kind: 'not begun', by, at: this.clock.now(), onWritten });
      throw unwritable(cause);
    }
  }

  /**
   * Takes the links that a rollout waits for, all of them or none. Those who wait for longer come first.
   * @throws RolloutTakenOver
   */
  async lockInTurn(order: LockOrder): Promise<Locked> {
    return await transacted(this.#db, async (trx) => {
      await this.#assertOwn(trx, order.operationId);
      await this.#letGoOfUnlocked(trx);
      const first = await trx
        .selectFrom('rollouts')
        .select('operation_id')
        .where('state', '=', 'queued')
        .where('ended_at', 'is', null)
        .where('link_name', '=', order.link.split('/').at(-1) ?? '')
        .where('operation_id', '<', order.operationId)
        .executeTakeFirst();
      return first ? NOTHING_HELD : await this.#takeLocks(trx, { order, onHeld: 'wait' });
    });
  }

  /** Takes the links of a rollout that goes on after its controller died, as far as nobody else has them by now. @throws RolloutTakenOver */
  async lockAgain(order: LockOrder): Promise<Locked> {
    return await transacted(this.#db, async (trx) => {
      await this.#assertOwn(trx, order.operationId);
      return await this.#takeLocks(trx, { order, onHeld: 'fail_hosts' });
    });
  }

  /** Another controller may have it by now, and its locks with it. */
  async #assertOwn(trx: Transaction<Tables>, operationId: string): Promise<void> {
    const owned = this.ownership.of(operationId);
    const isOwn = owned && (await notOwned(trx, [owned])).length === 0;
    if (isOwn) return;
    owned?.lose();
    throw new RolloutTakenOver(operationId);
  }

  /** Written soon: it is left where it is, to any other controller. */
  left(operationId: string): void {
    const by = this.ownership.of(operationId);
    if (!by) return;
    this.#later.add({ kind: 'left', by, onWritten: () => this.ownership.drop(operationId) });
    void this.#later.flush();
  }

  /** The leases of what runs last for some more seconds. Nothing goes wrong before they have ended. */
  async renewLocks(operationIds: readonly string[]): Promise<void> {
    await new LinkLocks(this.#db).renew(operationIds);
  }

  /** Written soon: what an operation held on a host, or on all of them, is free for others. */
  unlock(operationId: string, host?: string): void {
    const by = this.ownership.of(operationId);
    if (!by) return;
    const unlocked = { by, host };
    this.#unlocked.add(unlocked);
    this.#later.add({ kind: 'unlocked', ...unlocked, onWritten: () => this.#unlocked.delete(unlocked) });
  }

  /** What was let go of, and could not be written yet, is in nobody's way. */
  async #letGoOfUnlocked(trx: Transaction<Tables>): Promise<void> {
    if (this.#unlocked.size === 0) return;
    const lost = await notOwned(
      trx,
      [...this.#unlocked].map(({ by }) => by),
    );
    for (const unlocked of this.#unlocked) if (lost.includes(unlocked.by)) this.#unlocked.delete(unlocked);
    await new LinkLocks(trx).letGoOf([...this.#unlocked]);
  }

  async #takeLocks(trx: Transaction<Tables>, { order, onHeld }: { order: LockOrder; onHeld: OnHeld }): Promise<Locked> {
    const locks = new LinkLocks(trx);
    const held = await locks.take(order, { canJudge: this.ownership.canJudge() });
    const [first] = held.values();
    if (first && onHeld === 'refuse') throw linkHeld(first);
    if (first && onHeld === 'wait') {
      await locks.letGo(order.operationId);
      return { fence: undefined, held };
    }
    const fence = await locks.nextFence();
    const own = trx.updateTable('rollouts').set({ fence: fence.number });
    await own.where('operation_id', '=', order.operationId).execute();
    return { fence, held };
  }

  /** An agent has obeyed a fence of this database that is higher than all that it knows. @returns whether that was so. */
  async fenceObeyed(fence: Fence): Promise<boolean> {
    return await new LinkLocks(this.#db).raiseFence(fence);
  }

  /**
   * Written soon, and in order. Resolves once it can be read; never, for what is another controller's by now.
   */
  happened(operationId: string, { seq, at, kind, ...body }: StoredEvent, state: string | undefined): Promise<void> {
    const by = this.ownership.of(operationId);
    return new Promise((onWritten) => {
      if (!by) return;
      const row = { operation_id: operationId, seq, at, kind, body: JSON.stringify(body) };
      this.#later.add({ kind: 'event', by, row, state, onWritten });
    });
  }

  /** Resolves when all that was told so far is written, or could not be and will be later. */
  async written(): Promise<void> {
    await this.#later.flush();
  }

  /** Whether others may carry on with what this controller cannot write down. */
  get isShared(): boolean {
    return isPostgres(this.#db);
  }

  /** Written soon. */
  hostEnded(operationId: string, { host, code, error }: RecordedOutcome): void {
    const by = this.ownership.of(operationId);
    if (!by) return;
    this.#later.add({
      kind: 'outcome',
      by,
      row: { operation_id: operationId, host, code, error, ended_at: this.clock.now() },
    });
  }

  /** Resolves when it is written, or could not be and will be later. The artifact's URL is forgotten. */
  async ended(operationId: string, end?: AuditedEnd): Promise<void> {
    const by = this.ownership.of(operationId);
    if (!by) return;
    const at = this.clock.now();
    if (end) this.#later.add({ kind: 'audit ended', by, operationId, at, end });
    this.#later.add({ kind: 'ended', by, at, onWritten: () => this.ownership.drop(operationId) });
    await this.#later.flush();
  }

  /** A caller was told the outcome, or nobody waits for it. Written at once: until it is, a restart would tell it again. */
  answered(operationId: string): void {
    this.tells(operationId);
    const onWritten = () => this.#told.written(operationId);
    this.#later.add({ kind: 'answered', operationId, at: this.clock.now(), onWritten });
    void this.#later.flush();
  }

  /** Those who wait here are being told the outcome: who asks now asks for something new. */
  tells(operationId: string): void {
    this.#told.add(operationId);
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
    const rows = await rolloutRows(this.#db, filters);
    return await Promise.all(rows.map(async (row) => recordedOf(row, await this.#outcomesOf(row.operation_id))));
  }

  /** The same, of each only what was asked for, in one query. */
  async plans(filters: RolloutFilters): Promise<Pick<NewRollout, 'operationId' | 'plan' | 'fileUrl'>[]> {
    const rows = await rolloutRows(this.#db, filters);
    return rows.map(({ operation_id, plan, file_url }) => ({
      operationId: operation_id,
      plan,
      fileUrl: file_url ?? '',
    }));
  }

  /**
   * The newest of a plan that runs somewhere, or has ended since `since` (ISO 8601) and was told to nobody. `isBeingTold`: it has ended, and
   * another controller, which lives, has somebody to tell.
   */
  async unheard(
    plan: Pick<NewRollout, 'planKey' | 'linkName'>,
    since: string,
  ): Promise<{ operationId: string; isBeingTold: boolean } | undefined> {
    const wasTold = this.#told.look();
    const found = await sameUnheard(this.#db, plan, since);
    if (!found || wasTold(found.operation_id)) return undefined;
    const { operation_id: operationId, ended_at, owner } = found;
    const isOthers = ended_at !== null && owner !== null && owner !== this.ownership.owner;
    return { operationId, isBeingTold: isOthers && (await this.ownership.lives(owner)) };
  }

  /** Whether a rollout has ended; one that is not there has. */
  async hasEnded(operationId: string): Promise<boolean> {
    const query = this.#db.selectFrom('rollouts').select('ended_at').where('operation_id', '=', operationId);
    return (await query.executeTakeFirst())?.ended_at !== null;
  }

  async #outcomesOf(operationId: string): Promise<Selectable<HostOutcomeTable>[]> {
    return await this.#db.selectFrom('host_outcomes').selectAll().where('operation_id', '=', operationId).execute();
  }
}
