import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '@sampan/shared/logger.ts';
import { type Insertable, type Kysely, sql, type Transaction } from 'kysely';
import { isPostgres } from './is-postgres.ts';
import { LinkLocks } from './link-locks.ts';
import { writeFault } from './store-error.ts';
import type { AuditedEnd, Tables } from './tables.ts';

/** What is written after the fact: an agent's word that came, and what followed from it. */
export type Write =
  | { kind: 'outcome'; row: Insertable<Tables['host_outcomes']> }
  | { kind: 'ended'; operationId: string; at: string }
  | { kind: 'answered'; operationId: string; at: string }
  | { kind: 'audit'; row: Insertable<Tables['audit']> }
  /** The second line of what the audit trail has as begun; nothing where it has not. */
  | { kind: 'audit ended'; operationId: string; at: string; end: AuditedEnd }
  | { kind: 'token used'; id: string; at: string }
  /** `state`: where the rollout is from now on, if that has changed. `onWritten` is called once it can be read. */
  | { kind: 'event'; row: Insertable<Tables['rollout_events']>; state: string | undefined; onWritten: () => void }
  /** What an operation holds on a host, or on all of them. */
  | { kind: 'unlocked'; operationId: string; host: string | undefined; onWritten: () => void };

/** Outcomes that come close together share a transaction, which holds up nobody for long. */
const COLLECT_MS = 50;
const MOST_AT_ONCE = 500;
const RETRY_MS = 5_000;

/**
 * Writes soon, in order, and without a sync: it survives the death of this process, and a power cut may take back the last of
 * it. Then the agents are asked once more, who keep what they told. While the database takes no write, everything waits.
 */
export class WriteBehind {
  readonly #db: Kysely<Tables>;
  readonly #log: Logger;
  readonly #waiting: Write[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing = Promise.resolve();
  #isFailing = false;
  #logHoldsUrls = false;

  constructor(db: Kysely<Tables>, log: Logger) {
    this.#db = db;
    this.#log = log;
  }

  add(write: Write): void {
    this.#waiting.push(write);
    this.#timer ??= setTimeout(() => void this.flush(), this.#isFailing ? RETRY_MS : COLLECT_MS).unref();
  }

  /** Resolves when all that was added so far is written, or has failed to be and will be tried again. Never throws. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#writeAll());
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, MOST_AT_ONCE);
      try {
        await unsynced(this.#db, (trx) => writeBatch(trx, batch));
      } catch (error) {
        this.#failed(error);
        return;
      }
      this.#waiting.splice(0, batch.length);
      for (const write of batch) if ('onWritten' in write) write.onWritten();
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

async function unsynced(db: Kysely<Tables>, work: (trx: Transaction<Tables>) => Promise<void>): Promise<void> {
  if (isPostgres(db)) {
    await db.transaction().execute(async (trx) => {
      await sql`set local synchronous_commit = off`.execute(trx);
      await work(trx);
    });
    return;
  }
  await db.connection().execute(async (connection) => {
    await sql`pragma synchronous = normal`.execute(connection);
    try {
      await connection.transaction().execute(work);
    } finally {
      await sql`pragma synchronous = full`.execute(connection);
    }
  });
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
}

async function writeOne(trx: Transaction<Tables>, write: Write): Promise<unknown> {
  switch (write.kind) {
    case 'outcome':
      // Was written with all the others at once.
      return undefined;
    case 'event':
      if (write.state === undefined) return undefined;
      return await trx
        .updateTable('rollouts')
        .set({ state: write.state })
        .where('operation_id', '=', write.row.operation_id)
        .execute();
    case 'unlocked':
      return await new LinkLocks(trx).letGo(write.operationId, write.host);
    case 'ended': {
      const change = { ended_at: write.at, file_url: null };
      return await trx.updateTable('rollouts').set(change).where('operation_id', '=', write.operationId).execute();
    }
    case 'answered': {
      const change = { answered_at: write.at };
      return await trx.updateTable('rollouts').set(change).where('operation_id', '=', write.operationId).execute();
    }
    case 'audit':
      return await trx.insertInto('audit').values(write.row).execute();
    case 'audit ended':
      return await sql`insert into audit (at, who, address, action, project, outcome, operation_id, details)
        select ${write.at}, who, address, action, project, ${write.end.outcome}, operation_id, ${JSON.stringify(write.end.details)}
        from audit where operation_id = ${write.operationId} and outcome = 'begun'`.execute(trx);
    case 'token used':
      return await trx.updateTable('tokens').set({ last_used_at: write.at }).where('id', '=', write.id).execute();
  }
}
