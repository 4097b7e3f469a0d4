import { type Kysely, sql } from 'kysely';
import type { Migration, MigrationProvider } from 'kysely/migration';

/** Every change to the tables, in its order. One that has been released is never edited: what follows is a new one. */
const migrations: Record<string, Migration> = {
  '001-rollouts': { up: createRollouts },
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
