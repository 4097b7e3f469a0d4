import type { Logger } from '@sampan/shared/logger.ts';
import type { AgentPool } from './agents/agent-pool.ts';
import type { Metrics } from './metrics.ts';

/** What everything that works on hosts needs. */
export interface Fleet {
  agents: AgentPool;
  log: Logger;
  metrics: Metrics;
  limits: Limits;
}

/** How much at one time, and how long. Milliseconds. */
export interface Limits {
  maxParallel: number;
  restartParallel: number;
  /** For one host of a rollout. */
  timeoutMs: number;
  /** Where nothing can have flipped, an agent that is gone for longer than a restart of its process takes is not waited for. */
  patienceMs: number;
  /** Going back after a failure past the flip takes time of its own: so long beyond its deadline is an agent's word waited for. */
  deadlineSlackMs: number;
}
