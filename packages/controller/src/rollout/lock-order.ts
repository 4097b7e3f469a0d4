import type { LockOrder } from '../store/link-locks.ts';
import { lockedLink, planVersion, type RolloutPlan } from './rollout-plan.ts';

/** The locks that a rollout needs. */
export function lockOrder(operationId: string, plan: RolloutPlan): LockOrder {
  return {
    operationId,
    project: plan.target.projectName,
    version: planVersion(plan),
    link: lockedLink(plan.target),
    hosts: plan.hosts.map(({ address }) => address.key),
  };
}
