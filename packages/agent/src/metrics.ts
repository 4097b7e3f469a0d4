import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** What the agent counts, for `/metrics`. */
export interface Metrics {
  registry: Registry;
  /** Phases by how they ended: `phase` stage or activate, `code` ok or an error code. */
  operations: Counter<'phase' | 'code'>;
  /** Seconds of each step of a deploy. */
  stepSeconds: Histogram<'step'>;
  downloadedBytes: Counter;
  prunedReleases: Counter;
}

export function createMetrics(runningOperations: () => number): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'sampan_agent_' });
  const registers = [registry];
  new Gauge({
    name: 'sampan_agent_running_operations',
    help: 'Phases of operations that run now.',
    registers,
    collect() {
      this.set(runningOperations());
    },
  });
  return {
    registry,
    operations: new Counter({
      name: 'sampan_agent_operations_total',
      help: 'Phases of operations by how they ended.',
      labelNames: ['phase', 'code'],
      registers,
    }),
    stepSeconds: new Histogram({
      name: 'sampan_agent_step_seconds',
      help: 'Seconds of each step of a deploy.',
      labelNames: ['step'],
      buckets: SECONDS,
      registers,
    }),
    downloadedBytes: new Counter({
      name: 'sampan_agent_downloaded_bytes_total',
      help: 'Bytes of artifacts received.',
      registers,
    }),
    prunedReleases: new Counter({ name: 'sampan_agent_pruned_releases_total', help: 'Releases deleted.', registers }),
  };
}
