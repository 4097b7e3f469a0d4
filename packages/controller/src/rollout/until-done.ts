import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@sampan/shared/logger.ts';
import { RolloutTakenOver } from '../store/rollout-ownership.ts';

const RETRY_MS = 1_000;

/** Tries until it can be done, where the database may be away meanwhile. @throws what `signal` was aborted with; RolloutTakenOver. */
export async function untilDone<T>(
  work: () => Promise<T>,
  { log, operationId }: { log: Logger; operationId: string },
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (err) {
      if (err instanceof RolloutTakenOver) throw err;
      log.warn({ operationId, err }, 'the database cannot be asked yet');
      await delay(RETRY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}
