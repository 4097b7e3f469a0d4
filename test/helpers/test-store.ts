import { join } from 'node:path';
import { openStore, type Store } from '@sampan/controller/store/store.ts';
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
