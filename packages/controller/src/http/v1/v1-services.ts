import type { Scope } from '../../auth/scopes.ts';
import type { Fleet } from '../../fleet.ts';
import type { HostDirectory } from '../../hosts/host-directory.ts';
import type { RolloutDesk } from '../../rollout/rollout-desk.ts';
import type { RolloutEvents } from '../../rollout/rollout-events.ts';
import type { RouteAccess } from '../route-access.ts';

/** What the endpoints of `/v1` work with. */
export interface V1Services {
  fleet: Fleet;
  desk: RolloutDesk;
  eventsOf(id: string): RolloutEvents;
  hosts: HostDirectory;
  /** Those that have joined, and those that rollouts have named, as they are written in `server_list`. */
  knownHosts(): Promise<readonly string[]>;
  /** Where an agent listens, for hosts that name no port. */
  agentPort: number;
  isDraining(): boolean;
}

/** Who may call an endpoint of `/v1`: a token of the scope, which is good for the project that `project` tells. */
export function v1Access(scope: Scope, project: 'named' | 'none' | 'found'): { access: RouteAccess } {
  return { access: { scope, documented: false, project } };
}
