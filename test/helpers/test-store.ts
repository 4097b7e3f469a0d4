import { join } from 'node:path';
import { Changes } from '@sampan/controller/store/changes.ts';
import { joinControllers } from '@sampan/controller/store/membership.ts';
import type { RecordedRollout } from '@sampan/controller/store/recorded-rollout.ts';
import { RolloutOwnership } from '@sampan/controller/store/rollout-ownership.ts';
import { RolloutRecords } from '@sampan/controller/store/rollout-records.ts';
import { SharedClock } from '@sampan/controller/store/shared-clock.ts';
import { openStore, type Store } from '@sampan/controller/store/store.ts';
import type { Tables } from '@sampan/controller/store/tables.ts';
import { WriteBehind } from '@sampan/controller/store/write-behind.ts';
import type { Logger } from '@sampan/shared/logger.ts';
import type { Kysely } from 'kysely';
import { onTestFinished } from 'vitest';
import { silentLog } from './silent-log.ts';
import { tempDir } from './temp-dir.ts';

/** A controller's store on a real file, which is closed and removed when the test has finished. */
export async function testStore(file = join(tempDir(), 'sampan.db')): Promise<Store> {
  const store = await openStore(file, silentLog);
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= store.close());
  onTestFinished(close);
  return { ...store, close };
}

/** The records of a store, on a database that a test can make fail. */
export async function testRecords(db: Kysely<Tables>, log: Logger = silentLog) {
  const changes = new Changes();
  const later = new WriteBehind(db, { log, changes });
  const clock = new SharedClock(log);
  const membership = await joinControllers(db, { log, clock, onBeat: async () => undefined });
  onTestFinished(() => membership.leave());
  const ownership = new RolloutOwnership(db, membership);
  return { later, records: new RolloutRecords(db, { later, ownership, changes, clock }) };
}

/** The rollouts whose end nobody was told, or that have none, oldest first. */
export async function unanswered(db: Kysely<Tables>, records: RolloutRecords): Promise<RecordedRollout[]> {
  const rows = await db
    .selectFrom('rollouts')
    .select('operation_id as operationId')
    .where('answered_at', 'is', null)
    .orderBy('started_at')
    .execute();
  const found = await Promise.all(rows.map((row) => records.find(row)));
  return found.filter((one) => one !== undefined);
}
