import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** What a controller counts and times. Seconds are of the wall clock. */
export interface Metrics {
  readonly registry: Registry;
  requestFinished(request: { route: string; statusCode: number; seconds: number }): void;
  /** `code` is OK or that of the error. */
  hostFinished(host: { operation: string; code: string }): void;
  /** What part of the work took on one host: the staging and the activation as the controller sees them, the sync as the agent does. */
  phaseFinished(phase: { phase: 'stage' | 'sync' | 'activate'; seconds: number }): void;
  /** `state` is that of its end. */
  rolloutFinished(rollout: { operation: string; state: string; seconds: number }): void;
}

/** Numbers that are read when they are scraped. */
export interface Readings {
  agents(): { connected: number; unreachable: number };
  /** How many rollouts are in each state now, of those that run. */
  rollouts(): Readonly<Record<string, number>>;
  /** Why nothing can be written down now; undefined when it can. Told soon: Prometheus would take a controller that is slow for one that is away. */
  storeFault(): Promise<string | undefined>;
}

/** What `/metrics` shows. Each controller has a registry of its own. */
export function createMetrics(readings: Readings): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addGauges(registry, readings);
  const requests = new Histogram({
    name: 'sampan_http_request_seconds',
    help: 'HTTP requests, by route and by the status_code of the answer',
    labelNames: ['route', 'status_code'] as const,
    buckets: SECONDS,
    registers: [registry],
  });
  const hosts = new Counter({
    name: 'sampan_host_outcomes_total',
    help: 'What was done on one host, by operation and outcome: OK or the code of the error',
    labelNames: ['operation', 'code'] as const,
    registers: [registry],
  });
  const phases = new Histogram({
    name: 'sampan_host_phase_seconds',
    help: 'Work on one host: stage, the sync within it, activate',
    labelNames: ['phase'] as const,
    buckets: SECONDS,
    registers: [registry],
  });
  const rollouts = new Histogram({
    name: 'sampan_rollout_seconds',
    help: 'Deploys and rollbacks over all their hosts, by how they ended',
    labelNames: ['operation', 'state'] as const,
    buckets: SECONDS,
    registers: [registry],
  });
  return {
    registry,
    requestFinished: ({ route, statusCode, seconds }) => requests.observe({ route, status_code: statusCode }, seconds),
    hostFinished: (labels) => hosts.inc(labels),
    phaseFinished: ({ phase, seconds }) => phases.observe({ phase }, seconds),
    rolloutFinished: ({ operation, state, seconds }) => rollouts.observe({ operation, state }, seconds),
  };
}

function addGauges(registry: Registry, readings: Readings): void {
  const writable = new Gauge({
    name: 'sampan_database_writable',
    help: 'Whether the database takes within two seconds what is written down before anything begins: 1, or 0',
    registers: [registry],
    collect: async () => {
      writable.set((await readings.storeFault()) === undefined ? 1 : 0);
    },
  });
  const agents: Gauge<'state'> = new Gauge({
    name: 'sampan_agents',
    help: 'Agents that are connected, and those that could not be reached when last tried in the past ten minutes',
    labelNames: ['state'] as const,
    registers: [registry],
    collect: () => {
      for (const [state, count] of Object.entries(readings.agents())) agents.set({ state }, count);
    },
  });
  const rollouts: Gauge<'state'> = new Gauge({
    name: 'sampan_rollouts',
    help: 'Deploys and rollbacks that have not ended, by where they are',
    labelNames: ['state'] as const,
    registers: [registry],
    collect: () => {
      for (const [state, count] of Object.entries(readings.rollouts())) rollouts.set({ state }, count);
    },
  });
}
