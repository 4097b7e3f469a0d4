import type { Logger } from '@sampan/shared/logger.ts';
import type { AgentPool } from './agents/agent-pool.ts';
import type { Metrics } from './metrics.ts';

/** What everything that works on hosts needs. */
export interface Fleet {
  agents: AgentPool;
  log: Logger;
  metrics: Metrics;
  limits: { maxParallel: number; restartParallel: number; timeoutMs: number };
}
