import { setTimeout as delay } from 'node:timers/promises';
import { DeployError } from '@sampan/shared/errors.ts';
import type { Logger } from '@sampan/shared/logger.ts';
import type { Outcomes } from '../outcomes.ts';
import type { RolloutRecords } from '../store/rollout-records.ts';
import { courseOutcomes } from './course-outcomes.ts';
import { recordedCourse } from './recorded-course.ts';
import type { RolloutPlan } from './rollout-plan.ts';

const RETRY_MS = 1_000;

/**
 * Waits for the end of a rollout, whichever controller carries it out. While the database cannot be asked, too.
 * @returns what each host came to: 状态未知 for all where the database does not know the rollout any more.
 * @throws what `signal` was aborted with.
 */
export async function followRollout(
  { records, log }: { records: RolloutRecords; log: Logger },
  { operationId, plan }: { operationId: string; plan: RolloutPlan },
  signal: AbortSignal,
): Promise<Outcomes<unknown>> {
  const follower = records.changes.follow(operationId);
  try {
    for (;;) {
      try {
        const record = (await records.hasEnded(operationId)) && (await records.find({ operationId }));
        if (record) return courseOutcomes(await recordedCourse(records, record, plan));
        if (record === undefined) return lostTrack(plan);
      } catch (err) {
        log.warn({ operationId, err }, 'cannot look how far the rollout is');
        await delay(RETRY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
      await follower.next(signal);
    }
  } finally {
    follower.close();
  }
}

function lostTrack({ hosts }: RolloutPlan): Outcomes<unknown> {
  const error = new DeployError('STATE_UNKNOWN', { known: 'ROLLOUT_NOT_FOUND' });
  return new Map(hosts.map(({ name }) => [name, { ok: false, error }]));
}
