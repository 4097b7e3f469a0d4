import type { AuditTrail } from '../../auth/audit-trail.ts';
import type { Fleet } from '../../fleet.ts';
import type { RolloutDesk } from '../../rollout/rollout-desk.ts';

/** What the documented endpoints work with. */
export interface DocumentedServices {
  fleet: Fleet;
  desk: RolloutDesk;
  trail: AuditTrail;
  /** Where an agent listens, for hosts that name no port. */
  agentPort: number;
}
