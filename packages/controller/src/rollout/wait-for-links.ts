import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@sampan/shared/logger.ts';
import type { LockOrder } from '../store/link-locks.ts';
import type { Locked } from '../store/recorded-rollout.ts';
import { RolloutTakenOver } from '../store/rollout-ownership.ts';
import type { RolloutRecords } from '../store/rollout-records.ts';

/** Who lets go of a link says so to nobody: those who wait look now and then. */
const LOOK_EVERY_MS = 500;

/**
 * Waits until a rollout has all of its links, behind those that wait for longer. While the database cannot be asked, too.
 * @throws what `signal` was aborted with; RolloutTakenOver.
 */
export async function waitForLinks(
  { records, log }: { records: RolloutRecords; log: Logger },
  order: LockOrder,
  signal: AbortSignal,
): Promise<Locked> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const locked = await records.lockInTurn(order);
      if (locked.fence) return locked;
    } catch (err) {
      if (err instanceof RolloutTakenOver) throw err;
      log.warn({ operationId: order.operationId, err }, 'cannot look whether links are free');
    }
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}
