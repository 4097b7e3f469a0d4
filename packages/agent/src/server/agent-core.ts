import type { Deploys } from '../deploy/deploys.ts';
import type { HostServices } from '../deploy/host-services.ts';
import type { IdleMemory } from '../host/idle-memory.ts';
import type { Identity } from '../identity/identity.ts';
import type { Operations } from '../operations/operations.ts';
import type { Upgrade } from '../upgrade/upgrade.ts';
import type { Readiness } from './readiness.ts';

/** What the servers put before the network. */
export interface AgentCore {
  services: HostServices;
  operations: Operations;
  deploys: Deploys;
  readiness: Readiness;
  idleMemory: IdleMemory;
  upgrade: Upgrade;
  /** Stable over restarts. */
  agentId: string;
  /** Undefined: it listens on loopback, without TLS. */
  identity: Identity | undefined;
}
