import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

const DEADLOCK_DETECTED = '40P01';

/** Two that lock the same rows in different orders may meet: PostgreSQL ends one of them, which goes on when the other has. */
export async function transacted<T>(db: Kysely<Tables>, work: (trx: Transaction<Tables>) => Promise<T>): Promise<T> {
  try {
    return await db.transaction().execute(work);
  } catch (error) {
    if ((error as { code?: unknown }).code !== DEADLOCK_DETECTED) throw error;
    return await db.transaction().execute(work);
  }
}
