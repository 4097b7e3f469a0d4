import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '@sampan/shared/logger.ts';
import { type Insertable, type Kysely, sql, type Transaction } from 'kysely';
import type { Changes } from './changes.ts';
import { isPostgres } from './is-postgres.ts';
import { LinkLocks } from './link-locks.ts';
import { notifyChanges } from './postgres-changes.ts';
import { notOwned, type Owned } from './rollout-ownership.ts';
import { writeFault } from './store-error.ts';
import type { AuditedEnd, Tables } from './tables.ts';
import { transacted } from './transacted.ts';

/** What is written after the fact: an agent's word that came, and what followed from it. What is `by` an owner counts only while it is that. */
export type Write =
  | { kind: 'outcome'; by: Owned; row: Insertable<Tables['host_outcomes']> }
  | { kind: 'ended'; by: Owned; at: string; onWritten: () => void }
  | { kind: 'answered'; operationId: string; at: string; onWritten: () => void }
  /** It may have been written down all the same, when the answer to that was lost. */
  | { kind: 'not begun'; by: Owned; at: string; onWritten: () => void }
  /** This controller leaves it to any other. */
  | { kind: 'left'; by: Owned; onWritten: () => void }
  | { kind: 'audit'; row: Insertable<Tables['audit']> }
  /** The second line of what the audit trail has as begun; nothing where it has not. */
  | { kind: 'audit ended'; by?: Owned; operationId: string; at: string; end: AuditedEnd }
  | { kind: 'token used'; id: string; at: string }
  /** `state`: where the rollout is from now on, if that has changed. `onWritten` is called once it can be read. */
  | {
      kind: 'event';
      by: Owned;
      row: Insertable<Tables['rollout_events']>;
      state: string | undefined;
      onWritten: () => void;
    }
  /** What an operation holds on a host, or on all of them. */
  | { kind: 'unlocked'; by: Owned; host: string | undefined; onWritten: () => void };

/** Outcomes that come close together share a transaction, which holds up nobody for long. */
const COLLECT_MS = 50;
const MOST_AT_ONCE = 500;
const RETRY_MS = 1_000;

/**
 * Writes soon, and in order. In a file it is not synced: it survives the death of this process, and a power cut may take back the last
 * of it. Then the agents are asked once more, who keep what they told. While the database takes no write, everything waits.
 */
export class WriteBehind {
  readonly #db: Kysely<Tables>;
  readonly #log: Logger;
  readonly #changes: Changes;
  readonly #waiting: Write[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing = Promise.resolve();
  #next: Promise<void> | undefined;
  #isFailing = false;
  #logHoldsUrls = false;

  /** Who follows a rollout hears of `changes` once what has changed can be read. */
  constructor(db: Kysely<Tables>, { log, changes }: { log: Logger; changes: Changes }) {
    this.#db = db;
    this.#log = log;
    this.#changes = changes;
  }

  add(write: Write): void {
    this.#waiting.push(write);
    this.#timer ??= setTimeout(() => void this.flush(), this.#isFailing ? RETRY_MS : COLLECT_MS).unref();
  }

  /** Resolves when all that was added so far is written, or has failed to be and will be tried again. Never throws. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // One that has not begun yet writes this, too.
    this.#next ??= this.#writing.then(() => {
      this.#next = undefined;
      return this.#writeAll();
    });
    this.#writing = this.#next;
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, MOST_AT_ONCE);
      let lost: ReadonlySet<Owned>;
      try {
        lost = await unsynced(this.#db, (trx) => writeOwned(trx, batch));
      } catch (error) {
        this.#failed(error);
        return;
      }
      this.#waiting.splice(0, batch.length);
      for (const owned of lost) owned.lose();
      for (const write of batch) if ('onWritten' in write && !isLost(write, lost)) write.onWritten();
      for (const operationId of changedBy(batch)) this.#changes.hint(operationId);
      this.#logHoldsUrls ||= batch.some(({ kind }) => kind === 'ended');
      if (this.#isFailing) this.#log.info('the database can be written again');
      this.#isFailing = false;
      if (this.#waiting.length > 0) await nextTurn();
    }
    if (this.#logHoldsUrls && !isPostgres(this.#db)) await this.#emptyLog();
  }

  /** URLs of rollouts that have ended stand in SQLite's log until it is written over, and may hold credentials. */
  async #emptyLog(): Promise<void> {
    try {
      const { rows } = await sql<{ busy: number }>`pragma wal_checkpoint(truncate)`.execute(this.#db);
      this.#logHoldsUrls = rows[0]?.busy !== 0;
    } catch (error) {
      this.#log.warn({ err: error, reason: writeFault(error) }, "the database's log could not be emptied");
    }
    // Somebody reads in it, or the disk is full.
    if (this.#logHoldsUrls) this.#timer ??= setTimeout(() => void this.flush(), RETRY_MS).unref();
  }

  #failed(error: unknown): void {
    if (!this.#isFailing) this.#log.error({ err: error, reason: writeFault(error) }, 'the database cannot be written');
    this.#isFailing = true;
    this.#timer ??= setTimeout(() => void this.flush(), RETRY_MS).unref();
  }
}

async function unsynced<T>(db: Kysely<Tables>, work: (trx: Transaction<Tables>) => Promise<T>): Promise<T> {
  // A server that crashes takes no controller with it: what that takes for written must be.
  if (isPostgres(db)) return await transacted(db, work);
  return await db.connection().execute(async (connection) => {
    await sql`pragma synchronous = normal`.execute(connection);
    try {
      return await connection.transaction().execute(work);
    } finally {
      await sql`pragma synchronous = full`.execute(connection);
    }
  });
}

/** Writes what still counts. @returns as whose nothing is to be written any more: their rollouts have passed to others. */
async function writeOwned(trx: Transaction<Tables>, batch: readonly Write[]): Promise<ReadonlySet<Owned>> {
  const owners = new Set(batch.flatMap((write) => ownerOf(write) ?? []));
  const lost = new Set(await notOwned(trx, [...owners]));
  const counting = batch.filter((write) => !isLost(write, lost));
  await writeBatch(trx, counting);
  if (isPostgres(trx)) await notifyChanges(trx, changedBy(counting));
  return lost;
}

function ownerOf(write: Write): Owned | undefined {
  return 'by' in write ? write.by : undefined;
}

function isLost(write: Write, lost: ReadonlySet<Owned>): boolean {
  const owner = ownerOf(write);
  return owner !== undefined && lost.has(owner);
}

/** The rollouts of which somebody who follows them sees something new. */
function changedBy(batch: readonly Write[]): Set<string> {
  return new Set(
    batch.flatMap((write) => (write.kind === 'event' || write.kind === 'ended' ? [write.by.operationId] : [])),
  );
}

/** Each write may be made twice: what failed as a whole is tried again as a whole. */
async function writeBatch(trx: Transaction<Tables>, batch: readonly Write[]): Promise<void> {
  const outcomes = batch.flatMap((write) => (write.kind === 'outcome' ? [write.row] : []));
  if (outcomes.length > 0) {
    await trx
      .insertInto('host_outcomes')
      .values(outcomes)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  const events = batch.flatMap((write) => (write.kind === 'event' ? [write.row] : []));
  if (events.length > 0) {
    await trx
      .insertInto('rollout_events')
      .values(events)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  for (const write of batch) {
    await writeOne(trx, write);
  }
  await new LinkLocks(trx).letGoOf(batch.filter((write) => write.kind === 'unlocked'));
}

async function writeOne(trx: Transaction<Tables>, write: Write): Promise<unknown> {
  switch (write.kind) {
    case 'outcome':
    case 'unlocked':
      // Was written with all the others at once.
      return undefined;
    case 'event':
      if (write.state === undefined) return undefined;
      return await trx
        .updateTable('rollouts')
        .set({ state: write.state })
        .where('operation_id', '=', write.row.operation_id)
        .execute();
    case 'ended': {
      const change = { ended_at: write.at, file_url: null };
      return await trx.updateTable('rollouts').set(change).where('operation_id', '=', write.by.operationId).execute();
    }
    case 'not begun':
      return await undoBegin(trx, { operationId: write.by.operationId, at: write.at });
    case 'left':
      return await trx
        .updateTable('rollouts')
        .set({ owner: null })
        .where('operation_id', '=', write.by.operationId)
        .execute();
    case 'answered': {
      const change = { answered_at: write.at };
      return await trx.updateTable('rollouts').set(change).where('operation_id', '=', write.operationId).execute();
    }
    case 'audit':
      return await trx.insertInto('audit').values(write.row).execute();
    case 'audit ended':
      return await endInAudit(trx, write);
    case 'token used':
      return await trx.updateTable('tokens').set({ last_used_at: write.at }).where('id', '=', write.id).execute();
  }
}

async function endInAudit(
  trx: Transaction<Tables>,
  { operationId, at, end }: { operationId: string; at: string; end: AuditedEnd },
): Promise<void> {
  await sql`insert into audit (at, who, address, action, project, outcome, operation_id, details)
    select ${at}, who, address, action, project, ${end.outcome}, operation_id, ${JSON.stringify(end.details)}
    from audit begun where operation_id = ${operationId} and outcome = 'begun' and not exists (
      select 1 from audit ended
      where ended.operation_id = begun.operation_id and ended.action = begun.action and ended.outcome <> 'begun'
    )`.execute(trx);
}

/** Of what was not begun only the audit trail tells: what has been written there stays. */
async function undoBegin(
  trx: Transaction<Tables>,
  { operationId, at }: { operationId: string; at: string },
): Promise<void> {
  await endInAudit(trx, { operationId, at, end: { outcome: 'STORE_UNWRITABLE', details: {} } });
  await new LinkLocks(trx).letGo(operationId);
  await trx.deleteFrom('rollouts').where('operation_id', '=', operationId).execute();
}
