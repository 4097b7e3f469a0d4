import type { Logger } from '@sampan/shared/logger.ts';
import { VERSION } from '@sampan/shared/version.ts';
import { AgentPool } from './agents/agent-pool.ts';
import { loopbackOnly } from './agents/agent-security.ts';
import { allowedClients, type ControllerConfig } from './config.ts';
import type { Fleet } from './fleet.ts';
import { createApp } from './http/app.ts';
import { createMetrics } from './metrics.ts';
import { Rollouts } from './rollout/rollouts.ts';
import { openStore, type Store } from './store/store.ts';

/** Requests that are still being answered when the rollouts have ended get this long. */
const ANSWERS_MS = 30_000;

/** A controller that serves. */
export interface Controller {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  url: string;
  /**
   * Stops for good: takes nothing new, lets what runs finish or cancels it before its flip (see `shutdown_grace`), delivers the
   * answers, closes. Safe to call again.
   */
  stop(): Promise<void>;
}

/**
 * Starts a controller. Resolves once it listens; what its predecessor left unfinished goes on then.
 * @throws ConfigError when its database cannot be used, the system's error when it cannot listen.
 */
export async function startController(config: ControllerConfig, log: Logger): Promise<Controller> {
  const store = await openStore(config.database.file, log);
  try {
    return await startWith(store, config, log);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function startWith(store: Store, config: ControllerConfig, log: Logger): Promise<Controller> {
  let isDraining = false;
  const agents = new AgentPool({ security: loopbackOnly, timeoutMs: config.agents.connect_timeout });
  const metrics = createMetrics({ agents: () => agents.count(), rollouts: () => rollouts.count });
  const fleet: Fleet = { agents, log, metrics, limits: limitsOf(config) };
  const rollouts = await Rollouts.open(fleet, store.rollouts);
  const app = await createApp({
    log,
    metrics,
    fleet,
    rollouts,
    agentPort: config.agents.port,
    access: { publicHosts: config.public_hosts, allowedClients: allowedClients(config.auth.allow_ips) },
    isDraining: () => isDraining,
    storeFault: () => store.fault(),
  });
  const listening: Promise<string> = app.listen(config.listen);
  const url = await listening;
  log.info({ url, version: VERSION, database: config.database.file }, 'listening');
  rollouts.takeUp();

  async function stop(): Promise<void> {
    isDraining = true;
    log.info({ rollouts: rollouts.count }, 'stopping');
    await rollouts.drain({ finishMs: config.shutdown_grace, cancelMs: config.shutdown_grace });
    // A caller that does not take its answer keeps nobody from stopping.
    const cut = setTimeout(() => app.server.closeAllConnections(), ANSWERS_MS);
    await app.close();
    clearTimeout(cut);
    agents.close();
    await store.close();
    log.info('stopped');
  }
  let stopped: Promise<void> | undefined;
  return { url, stop: () => (stopped ??= stop()) };
}

function limitsOf({ rollouts }: ControllerConfig): Fleet['limits'] {
  return {
    maxParallel: rollouts.max_parallel,
    restartParallel: rollouts.restart_parallel,
    timeoutMs: rollouts.timeout,
    patienceMs: 15_000,
    deadlineSlackMs: 60_000,
  };
}
