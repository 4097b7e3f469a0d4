import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Migration, MigrationProvider } from 'kysely/migration';
import { isPostgres } from './is-postgres.ts';

/** Every change to the tables, in its order. One that has been released is never edited: what follows is a new one. */
const migrations: Record<string, Migration> = {
  '001-rollouts': { up: createRollouts },
  '002-access': { up: createAccess },
  '003-identity': { up: createIdentity },
  '004-courses': { up: createCourses },
  '005-controllers': { up: createControllers },
};

export const migrationProvider: MigrationProvider = { getMigrations: async () => migrations };

async function createRollouts({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('rollouts')
    .addColumn('operation_id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('plan_key', 'text', (column) => column.notNull())
    .addColumn('link_name', 'text', (column) => column.notNull())
    .addColumn('plan', 'text', (column) => column.notNull())
    .addColumn('file_url', 'text')
    .addColumn('started_at', 'text', (column) => column.notNull())
    .addColumn('ended_at', 'text')
    .addColumn('answered_at', 'text')
    .execute();
  await schema.createIndex('rollouts_ended').on('rollouts').column('ended_at').execute();
  await schema
    .createIndex('rollouts_unanswered')
    .on('rollouts')
    .column('link_name')
    .where(sql.ref('answered_at'), 'is', null)
    .execute();
  await schema
    .createTable('host_outcomes')
    .addColumn('operation_id', 'text', (column) =>
      column.notNull().references('rollouts.operation_id').onDelete('cascade'),
    )
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('code', 'text', (column) => column.notNull())
    .addColumn('error', 'text')
    .addColumn('ended_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('host_outcomes_pkey', ['operation_id', 'host'])
    .execute();
  await schema
    .createTable('store_check')
    .addColumn('id', 'integer', (column) => column.notNull().primaryKey())
    .addColumn('written_at', 'text', (column) => column.notNull())
    .execute();
}

async function createAccess(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('tokens')
    .addColumn('id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull().unique())
    .addColumn('scopes', 'text', (column) => column.notNull())
    .addColumn('projects', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text')
    .addColumn('revoked_at', 'text')
    .addColumn('last_used_at', 'text')
    .execute();
  await db.schema
    .createIndex('tokens_live_name')
    .unique()
    .on('tokens')
    .column('name')
    .where(sql.ref('revoked_at'), 'is', null)
    .execute();
  await createAudit(db);
}

/** Rows are only ever added. Those from before `audit_horizon` may be deleted; nothing makes that stand in the future. */
async function createAudit(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit')
    .addColumn('id', isPostgres(db) ? 'serial' : 'integer', (column) =>
      isPostgres(db) ? column.primaryKey() : column.primaryKey().autoIncrement(),
    )
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('who', 'text', (column) => column.notNull())
    .addColumn('address', 'text')
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('project', 'text')
    .addColumn('hosts', 'text')
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('operation_id', 'text')
    .addColumn('details', 'text')
    .execute();
  await db.schema.createIndex('audit_at').on('audit').column('at').execute();
  await db.schema.createIndex('audit_operation').on('audit').column('operation_id').execute();
  await db.schema
    .createTable('audit_horizon')
    .addColumn('id', 'integer', (column) => column.notNull().primaryKey())
    .addColumn('kept_since', 'text', (column) => column.notNull())
    .execute();
  if (isPostgres(db)) await keepAuditInPostgres(db);
  else await keepAuditInSqlite(db);
}

async function keepAuditInPostgres(db: Kysely<unknown>): Promise<void> {
  await sql`create function audit_is_never_changed() returns trigger language plpgsql as
    $$ begin raise exception 'the audit trail is never changed'; end $$`.execute(db);
  await sql`create function audit_is_kept() returns trigger language plpgsql as
    $$ begin
      if old.at >= coalesce((select max(kept_since) from audit_horizon), '') then
        raise exception 'the audit trail is kept';
      end if;
      return old;
    end $$`.execute(db);
  await sql`create trigger audit_is_never_changed before update on audit
    for each row execute function audit_is_never_changed()`.execute(db);
  await sql`create trigger audit_is_kept before delete on audit
    for each row execute function audit_is_kept()`.execute(db);
}

async function keepAuditInSqlite(db: Kysely<unknown>): Promise<void> {
  await sql`create trigger audit_is_never_changed before update on audit
    begin select raise(abort, 'the audit trail is never changed'); end`.execute(db);
  // REPLACE deletes without its triggers.
  await sql`create trigger audit_is_not_replaced before insert on audit
    when exists (select 1 from audit where id = new.id)
    begin select raise(abort, 'the audit trail is never changed'); end`.execute(db);
  await sql`create trigger audit_is_kept before delete on audit
    when old.at >= coalesce((select max(kept_since) from audit_horizon), '')
    begin select raise(abort, 'the audit trail is kept'); end`.execute(db);
}

async function createIdentity({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('certificates')
    .addColumn('serial', 'text', (column) => column.notNull().primaryKey())
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('agent', 'text', (column) => column.notNull())
    .addColumn('aliases', 'text', (column) => column.notNull())
    .addColumn('pem', 'text', (column) => column.notNull())
    .addColumn('key_sha256', 'text', (column) => column.notNull())
    .addColumn('roots_sha256', 'text')
    .addColumn('issued_at', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .addColumn('revoked_at', 'text')
    .execute();
  await schema.createIndex('certificates_host').on('certificates').column('host').execute();
  await schema
    .createIndex('certificates_revoked')
    .on('certificates')
    .column('revoked_at')
    .where(sql.ref('revoked_at'), 'is not', null)
    .execute();
  await schema
    .createTable('join_tokens')
    .addColumn('hash', 'text', (column) => column.notNull().primaryKey())
    .addColumn('agent', 'text', (column) => column.notNull())
    .addColumn('aliases', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .addColumn('used_at', 'text')
    .execute();
}

async function createCourses(db: Kysely<unknown>): Promise<void> {
  const { schema } = db;
  // SQLite adds one column at a time.
  for (const name of ['state', 'project_name', 'requested_by']) {
    await schema
      .alterTable('rollouts')
      .addColumn(name, 'text', (column) => column.notNull().defaultTo(''))
      .execute();
  }
  await schema.alterTable('rollouts').addColumn('idempotency_key', 'text').execute();
  await schema
    .createIndex('rollouts_idempotency_key')
    .unique()
    .on('rollouts')
    .column('idempotency_key')
    .where(sql.ref('idempotency_key'), 'is not', null)
    .execute();
  await schema
    .createTable('rollout_events')
    .addColumn('operation_id', 'text', (column) =>
      column.notNull().references('rollouts.operation_id').onDelete('cascade'),
    )
    .addColumn('seq', 'integer', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('rollout_events_pkey', ['operation_id', 'seq'])
    .execute();
  await schema
    .createTable('link_locks')
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('link', 'text', (column) => column.notNull())
    .addColumn('operation_id', 'text', (column) => column.notNull())
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('since', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('link_locks_pkey', ['host', 'link'])
    .execute();
  await schema.createIndex('link_locks_operation').on('link_locks').column('operation_id').execute();
  await schema
    .createTable('database_identity')
    .addColumn('id', 'integer', (column) => column.notNull().primaryKey())
    .addColumn('uuid', 'text', (column) => column.notNull())
    .addColumn('fence', 'bigint', (column) => column.notNull())
    .execute();
  await sql`insert into database_identity (id, uuid, fence) values (1, ${randomUUID()}, 0)`.execute(db);
}

async function createControllers({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('controllers')
    .addColumn('id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('joined_at', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .execute();
  await schema.alterTable('rollouts').addColumn('owner', 'text').execute();
  await schema
    .alterTable('rollouts')
    .addColumn('epoch', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
  await schema.alterTable('rollouts').addColumn('fence', 'bigint').execute();
  await schema
    .createIndex('rollouts_unfinished')
    .on('rollouts')
    .column('operation_id')
    .where(sql.ref('ended_at'), 'is', null)
    .execute();
  await schema.alterTable('database_identity').addColumn('roots_sha256', 'text').execute();
  await schema
    .createTable('rollout_requests')
    .addColumn('id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('operation_id', 'text', (column) =>
      column.notNull().references('rollouts.operation_id').onDelete('cascade'),
    )
    .addColumn('request', 'text', (column) => column.notNull())
    .addColumn('who', 'text', (column) => column.notNull())
    .addColumn('asked_at', 'text', (column) => column.notNull())
    .addColumn('answer', 'text')
    .execute();
  await schema
    .createIndex('rollout_requests_open')
    .on('rollout_requests')
    .column('operation_id')
    .where(sql.ref('answer'), 'is', null)
    .execute();
}
