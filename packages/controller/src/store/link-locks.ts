import type { Kysely, Selectable } from 'kysely';
import { sql } from 'kysely';
import { databaseTime } from './database-time.ts';
import { isPostgres } from './is-postgres.ts';
import type { LinkLockTable, Tables } from './tables.ts';

/** A lock of a link on one host, and whose it is. */
export interface LockOrder {
  operationId: string;
  project: string;
  version: string;
  /** The link's name, for golang behind its directory and a slash. */
  link: string;
  /** The agents' addresses, as `10.0.0.3:7410`. */
  hosts: readonly string[];
}

/** Who has a link, and since when (ISO 8601). */
export interface LockHolder {
  operationId: string;
  project: string;
  version: string;
  since: string;
}

/** Under which number a database gave its locks out. Of one database, numbers only grow. */
export interface Fence {
  database: string;
  number: number;
}

/** A holder that has not renewed its lock for so long has lost it. Longer than it takes another controller to take a rollout over. */
export const LEASE_MS = 15_000;
/** Far below the parameters that a statement may have. */
const ROWS_AT_ONCE = 1_000;

/**
 * The locks of links, by host. On a transaction they stand or fall with it.
 * INVARIANTS: a lock has one holder; a holder that dies loses it when its lease ends; what is sent to an agent under a lock carries
 * a fence that is higher than that of every holder before.
 */
export class LinkLocks {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /**
   * Takes those that are free, have expired, or are the operation's own already. `canJudge` false: none counts as expired, since
   * nobody may have been able to renew it. @returns who has the others, by host.
   */
  async take(order: LockOrder, { canJudge = true } = {}): Promise<Map<string, LockHolder>> {
    const held = new Map<string, LockHolder>();
    // In one order for everybody: two that want the same hosts do not wait for each other.
    let hosts = [...new Set(order.hosts)].sort();
    while (hosts.length > 0) {
      const some = hosts.slice(0, ROWS_AT_ONCE);
      const taken = await this.#takeSome(order, some, canJudge);
      const holders = await this.holders(
        { link: order.link, hosts: some.filter((host) => !taken.has(host)) },
        canJudge,
      );
      for (const [host, holder] of holders) held.set(host, holder);
      // Let go of between the two looks: it is free.
      const free = some.filter((host) => !taken.has(host) && !holders.has(host));
      hosts = [...free, ...hosts.slice(ROWS_AT_ONCE)];
    }
    return held;
  }

  /** Lets go of what was held: by these operations on one host each, or on all of them where none is named. */
  async letGoOf(held: readonly { by: { operationId: string }; host: string | undefined }[]): Promise<void> {
    for (const [operationId, of] of Map.groupBy(held, ({ by }) => by.operationId)) {
      const hosts = of.flatMap(({ host }) => host ?? []);
      await this.letGo(operationId, hosts.length === of.length ? hosts : undefined);
    }
  }

  /** Makes the leases of these operations last from now on. */
  async renew(operationIds: readonly string[]): Promise<void> {
    if (operationIds.length === 0) return;
    await this.#db
      .updateTable('link_locks')
      .set({ expires_at: databaseTime(this.#db, LEASE_MS) })
      .where('operation_id', 'in', operationIds)
      .execute();
  }

  /** Lets go of what an operation holds on these hosts, or on all of them. */
  async letGo(operationId: string, hosts?: readonly string[]): Promise<void> {
    const held = this.#db.deleteFrom('link_locks').where('operation_id', '=', operationId);
    if (hosts === undefined) {
      await held.execute();
      return;
    }
    for (let at = 0; at < hosts.length; at += ROWS_AT_ONCE) {
      await held.where('host', 'in', hosts.slice(at, at + ROWS_AT_ONCE)).execute();
    }
  }

  /** Who has the links of these hosts now; `canJudge` as in `take`. */
  async holders({ link, hosts }: Pick<LockOrder, 'link' | 'hosts'>, canJudge = true): Promise<Map<string, LockHolder>> {
    if (hosts.length === 0) return new Map();
    const all = this.#db.selectFrom('link_locks').selectAll().where('link', '=', link).where('host', 'in', hosts);
    const living = canJudge ? all.where('expires_at', '>', databaseTime(this.#db)) : all;
    return new Map((await living.execute()).map((row) => [row.host, holderOf(row)]));
  }

  /** Fences were given out up to `number`, which this database does not know: it was restored from an older copy of itself. */
  async raiseFence({ database, number }: Fence): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('database_identity')
      .set({ fence: number })
      .where('uuid', '=', database)
      .where('fence', '<', number)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** A number that no fence of this database had before. */
  async nextFence(): Promise<Fence> {
    // Of one statement the same at both places.
    const atLeast = isPostgres(this.#db)
      ? sql`(extract(epoch from statement_timestamp()) * 1000)::bigint`
      : sql`${Date.now()}`;
    const row = await this.#db
      .updateTable('database_identity')
      .set({ fence: sql`case when fence + 1 > ${atLeast} then fence + 1 else ${atLeast} end` })
      .returning(['uuid', 'fence'])
      .executeTakeFirstOrThrow();
    // PostgreSQL tells numbers of this size as text.
    return { database: row.uuid, number: Number(row.fence) };
  }

  async #takeSome(order: LockOrder, hosts: readonly string[], canJudge: boolean): Promise<Set<string>> {
    const { operationId: operation_id, project, version, link } = order;
    const since = databaseTime(this.#db);
    const mine = { operation_id, project, version, since, expires_at: databaseTime(this.#db, LEASE_MS) };
    const rows = await this.#db
      .insertInto('link_locks')
      .values(hosts.map((host) => ({ host, link, ...mine })))
      .onConflict((conflict) =>
        conflict
          .columns(['host', 'link'])
          .doUpdateSet(mine)
          .where((has) => {
            const own = has('link_locks.operation_id', '=', operation_id);
            return canJudge ? has.or([own, has('link_locks.expires_at', '<=', since)]) : own;
          }),
      )
      .returning('host')
      .execute();
    return new Set(rows.map(({ host }) => host));
  }
}

function holderOf({ operation_id, project, version, since }: Selectable<LinkLockTable>): LockHolder {
  return { operationId: operation_id, project, version, since };
}
