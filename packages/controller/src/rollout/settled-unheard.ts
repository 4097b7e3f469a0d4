import { setTimeout as delay } from 'node:timers/promises';
import type { NewRollout } from '../store/recorded-rollout.ts';
import type { RolloutRecords } from '../store/rollout-records.ts';
import { owedSince } from './left-behind.ts';

/** A controller that lives writes down within this that somebody was told. */
const TOLD_WITHIN_MS = 2_000;
const LOOK_EVERY_MS = 25;

/**
 * A rollout of this plan that runs, or that has ended and was told to nobody. One whose controller lives has just ended: its caller is
 * being told, and this waits until that is written down, so that nobody else takes its outcome for that of a new request.
 */
export async function settledUnheard(
  records: RolloutRecords,
  plan: Pick<NewRollout, 'planKey' | 'linkName'>,
): Promise<string | undefined> {
  for (const untilMs = performance.now() + TOLD_WITHIN_MS; ; ) {
    const found = await records.unheard(plan, owedSince(records.clock.nowMs()));
    if (!found?.isBeingTold || performance.now() > untilMs) return found?.operationId;
    await delay(LOOK_EVERY_MS);
  }
}
