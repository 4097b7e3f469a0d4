import type { Insertable, Kysely, Selectable } from 'kysely';
import { z } from 'zod';
import type { AuditTable, Tables } from '../store/tables.ts';

/**
 * One line of the audit trail. Nothing secret goes in: no token, no URL but through redactUrl.
 * What takes long has two: `begun`, and its outcome, under the same `operationId`.
 */
export interface AuditEntry {
  /** `token ci`, `allow_ips`, `loopback`, `cli root`, `host 10.0.0.3`. */
  who: string;
  /** Where the request came from. */
  address?: string | undefined;
  /** `deploy`, `rollback`, `init_deploy`, `token create`, `auth refused` … */
  action: string;
  project?: string | undefined;
  hosts?: readonly string[] | undefined;
  /** `begun`, `OK`, `failed`, or the code of an error. */
  outcome: string;
  operationId?: string | undefined;
  details?: Readonly<Record<string, unknown>> | undefined;
}

export interface AuditRecord extends AuditEntry {
  at: string;
}

/** The audit trail in the database: it is added to, and read. On a transaction, the line stands or falls with what it tells of. */
export class Audit {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** Durable when it resolves. */
  async append(entry: AuditEntry): Promise<void> {
    await this.#db.insertInto('audit').values(auditRow(entry)).execute();
  }

  /** From `sinceMs` (milliseconds since the epoch) on, oldest first. */
  async list({ sinceMs, project }: { sinceMs: number; project?: string | undefined }): Promise<AuditRecord[]> {
    let query = this.#db.selectFrom('audit').selectAll().where('at', '>=', new Date(sinceMs).toISOString());
    if (project !== undefined) query = query.where('project', '=', project);
    return (await query.orderBy('at').orderBy('id').execute()).map(recordOf);
  }
}

/** The row of an entry that is made now. */
export function auditRow(entry: AuditEntry): Insertable<AuditTable> {
  return {
    at: new Date().toISOString(),
    who: entry.who,
    address: entry.address ?? null,
    action: entry.action,
    project: entry.project ?? null,
    hosts: entry.hosts ? JSON.stringify(entry.hosts) : null,
    outcome: entry.outcome,
    operation_id: entry.operationId ?? null,
    details: entry.details ? JSON.stringify(entry.details) : null,
  };
}

const names = z.array(z.string());
const facts = z.record(z.string(), z.unknown());

function recordOf(row: Selectable<AuditTable>): AuditRecord {
  return {
    at: row.at,
    who: row.who,
    address: row.address ?? undefined,
    action: row.action,
    project: row.project ?? undefined,
    hosts: row.hosts === null ? undefined : names.parse(JSON.parse(row.hosts)),
    outcome: row.outcome,
    operationId: row.operation_id ?? undefined,
    details: row.details === null ? undefined : facts.parse(JSON.parse(row.details)),
  };
}
