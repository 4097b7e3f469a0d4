import { type DialectAdapter, PostgresAdapter, PostgresDialect } from 'kysely';

/**
 * Kysely's, but that it takes no lock for migrations, which whoever runs them has. Its own is of the session: behind a pooler that lends
 * connections for a transaction it may be let go of on another connection, that is, never. And it comes after the first look at the
 * tables, which two may have at one time.
 */
export class UnlockedPostgresDialect extends PostgresDialect {
  override createAdapter(): DialectAdapter {
    return new UnlockedPostgresAdapter();
  }
}

class UnlockedPostgresAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {
    // See above.
  }

  override async releaseMigrationLock(): Promise<void> {
    // See above.
  }
}
