import type { RecordedRollout } from '../store/recorded-rollout.ts';
import type { RolloutRecords } from '../store/rollout-records.ts';
import type { Course } from './course.ts';
import { restoreCourse } from './restore-course.ts';
import type { RolloutPlan } from './rollout-plan.ts';
import { outcomesOf } from './stored-rollout.ts';

/** Where a rollout is, by what was written down of it, whoever carries it out. */
export async function recordedCourse(
  { events }: RolloutRecords,
  record: RecordedRollout,
  plan: RolloutPlan,
): Promise<Course> {
  const changes = await events.changes(record.operationId);
  const hosts = plan.hosts.map(({ name }) => name);
  const outcomes = outcomesOf(plan, record.outcomes);
  return restoreCourse({ hosts, startedAtMs: record.startedAtMs, changes, outcomes });
}
