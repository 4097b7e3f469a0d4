import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** What a controller counts and times. Seconds are of the wall clock. */
export interface Metrics {
  readonly registry: Registry;
  requestFinished(request: { route: string; statusCode: number; seconds: number }): void;
  /** `code` is OK or that of the error. */
  hostFinished(host: { operation: string; code: string }): void;
  rolloutFinished(rollout: { operation: string; seconds: number }): void;
}

/** Numbers that are read when they are scraped. */
export interface Readings {
  agents(): { connected: number; unreachable: number };
  rollouts(): number;
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
  const rollouts = new Histogram({
    name: 'sampan_rollout_seconds',
    help: 'Deploys and rollbacks over all their hosts',
    labelNames: ['operation'] as const,
    buckets: SECONDS,
    registers: [registry],
  });
  return {
    registry,
    requestFinished: ({ route, statusCode, seconds }) => requests.observe({ route, status_code: statusCode }, seconds),
    hostFinished: (labels) => hosts.inc(labels),
    rolloutFinished: ({ operation, seconds }) => rollouts.observe({ operation }, seconds),
  };
}

function addGauges(registry: Registry, readings: Readings): void {
  const agents: Gauge<'state'> = new Gauge({
    name: 'sampan_agents',
    help: 'Agents that are connected, and those that could not be reached when last tried in the past ten minutes',
    labelNames: ['state'] as const,
    registers: [registry],
    collect: () => {
      for (const [state, count] of Object.entries(readings.agents())) agents.set({ state }, count);
    },
  });
  const rollouts: Gauge = new Gauge({
    name: 'sampan_rollouts_running',
    help: 'Deploys and rollbacks that run now',
    registers: [registry],
    collect: () => rollouts.set(readings.rollouts()),
  });
}
