import { type Kysely, sql } from 'kysely';
import type { Migration, MigrationProvider } from 'kysely/migration';

/** Every change to the tables, in its order. One that has been released is never edited: what follows is a new one. */
const migrations: Record<string, Migration> = {
  '001-rollouts': { up: createRollouts },
  '002-access': { up: createAccess },
  '003-identity': { up: createIdentity },
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
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
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
