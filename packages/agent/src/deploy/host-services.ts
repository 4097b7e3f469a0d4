import type { Logger } from '@sampan/shared/logger.ts';
import type { UnpackThread } from '../artifact/unpack-thread.ts';
import type { AgentConfig } from '../config.ts';
import type { ExclusiveDirectories } from '../host/exclusive-directories.ts';
import type { Owners } from '../host/owners.ts';
import type { Metrics } from '../metrics.ts';
import type { Fences } from '../operations/fences.ts';
import type { KeyedLock } from '../operations/keyed-lock.ts';
import type { LinkHolds } from '../operations/link-holds.ts';
import type { KnownSequences } from '../releases/known-sequences.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';

/** What a deploy works with on this host. Made once, at start-up. */
export interface HostServices {
  config: AgentConfig;
  log: Logger;
  metrics: Metrics;
  owners: Owners;
  supervisor: Supervisor;
  /** Where small artifacts are unpacked; without it, as all others are. */
  unpackThread?: UnpackThread;
  /** The bases that this agent alone works on. */
  directories: ExclusiveDirectories;
  holds: LinkHolds;
  fences: Fences;
  sequences: KnownSequences;
  /** Held per base while names in `.deploy` are given or taken away. */
  baseLock: KeyedLock;
}
