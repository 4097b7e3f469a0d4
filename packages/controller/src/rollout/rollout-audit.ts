import type { AuditEntry } from '../auth/audit.ts';
import { planVersion, type RolloutPlan } from './rollout-plan.ts';

/** Who asked, as the audit trail calls them, and from where. */
export interface Requester {
  who: string;
  address: string;
}

/** What the audit trail says of a rollout that begins. The artifact's URL is not in it. */
export function begunEntry(operationId: string, plan: RolloutPlan, { who, address }: Requester): AuditEntry {
  const { projectName, linkName, language } = plan.target;
  return {
    who,
    address,
    action: plan.operation,
    project: projectName,
    hosts: plan.hosts.map(({ name }) => name),
    outcome: 'begun',
    operationId,
    details: { link: linkName, language, version: planVersion(plan), restart: plan.restart },
  };
}
