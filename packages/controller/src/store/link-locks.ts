import type { Kysely, Selectable } from 'kysely';
import { sql } from 'kysely';
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

/** A holder that has not renewed its lock for so long has lost it. */
export const LEASE_MS = 15_000;

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

  /** Takes those that are free, have expired, or are the operation's own already. @returns who has the others, by host. */
  async take(order: LockOrder): Promise<Map<string, LockHolder>> {
    const held = new Map<string, LockHolder>();
    // In one order for everybody: two that want the same hosts do not wait for each other.
    for (const host of [...new Set(order.hosts)].sort()) {
      const holder = await this.#takeOne(order, host);
      if (holder) held.set(host, holder);
    }
    return held;
  }

  /** Makes the leases of these operations last from now on. */
  async renew(operationIds: readonly string[]): Promise<void> {
    if (operationIds.length === 0) return;
    await this.#db
      .updateTable('link_locks')
      .set({ expires_at: leaseEnd() })
      .where('operation_id', 'in', operationIds)
      .execute();
  }

  /** Lets go of what an operation holds on a host, or on all of them. */
  async letGo(operationId: string, host?: string): Promise<void> {
    const held = this.#db.deleteFrom('link_locks').where('operation_id', '=', operationId);
    await (host === undefined ? held : held.where('host', '=', host)).execute();
  }

  /** Who has the links of these hosts now. */
  async holders({ link, hosts }: Pick<LockOrder, 'link' | 'hosts'>): Promise<Map<string, LockHolder>> {
    const rows = await this.#db
      .selectFrom('link_locks')
      .selectAll()
      .where('link', '=', link)
      .where('host', 'in', [...hosts, ''])
      .where('expires_at', '>', now())
      .execute();
    return new Map(rows.map((row) => [row.host, holderOf(row)]));
  }

  /** A number that no fence of this database had before. */
  async nextFence(): Promise<Fence> {
    const atLeast = Date.now();
    const row = await this.#db
      .updateTable('database_identity')
      .set({ fence: sql`case when fence + 1 > ${atLeast} then fence + 1 else ${atLeast} end` })
      .returning(['uuid', 'fence'])
      .executeTakeFirstOrThrow();
    // PostgreSQL tells numbers of this size as text.
    return { database: row.uuid, number: Number(row.fence) };
  }

  async #takeOne(order: LockOrder, host: string): Promise<LockHolder | undefined> {
    const { operationId, project, version, link } = order;
    const since = now();
    const mine = { operation_id: operationId, project, version, since, expires_at: leaseEnd() };
    const taken = await this.#db
      .insertInto('link_locks')
      .values({ host, link, ...mine })
      .onConflict((conflict) =>
        conflict
          .columns(['host', 'link'])
          .doUpdateSet(mine)
          .where((has) =>
            has.or([has('link_locks.expires_at', '<=', since), has('link_locks.operation_id', '=', operationId)]),
          ),
      )
      .returning('host')
      .executeTakeFirst();
    if (taken) return undefined;
    // Let go of between the two looks: it is free.
    return (await this.holders({ link, hosts: [host] })).get(host) ?? (await this.#takeOne(order, host));
  }
}

function holderOf({ operation_id, project, version, since }: Selectable<LinkLockTable>): LockHolder {
  return { operationId: operation_id, project, version, since };
}

function now(): string {
  return new Date().toISOString();
}

function leaseEnd(): string {
  return new Date(Date.now() + LEASE_MS).toISOString();
}
