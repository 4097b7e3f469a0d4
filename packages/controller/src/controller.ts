import { accessSync, constants } from 'node:fs';
import { systemCode } from '@sampan/shared/errors.ts';
import { ConfigError } from '@sampan/shared/load-config.ts';
import type { Logger } from '@sampan/shared/logger.ts';
import { VERSION } from '@sampan/shared/version.ts';
import { AgentPool } from './agents/agent-pool.ts';
import { loopbackOnly } from './agents/agent-security.ts';
import { AuditTrail } from './auth/audit-trail.ts';
import type { ControllerConfig } from './config.ts';
import type { Fleet } from './fleet.ts';
import { HostDirectory } from './hosts/host-directory.ts';
import { accessRules, accessServices, warnOfOpenDoors } from './http/access.ts';
import { createApp } from './http/app.ts';
import { type FileCredentials, fileCredentials, type HttpsCredentials } from './http/https-credentials.ts';
import { CertificateRecords } from './identity/certificate-records.ts';
import { openIdentity, type RunningIdentity } from './identity/open-identity.ts';
import { createMetrics } from './metrics.ts';
import { RolloutDesk } from './rollout/rollout-desk.ts';
import { rolloutEventsOf } from './rollout/rollout-events.ts';
import { Rollouts } from './rollout/rollouts.ts';
import { shownLocation } from './store/open-postgres.ts';
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
  /** Reads the certificate of HTTPS again; undefined where it is of no file. */
  reload: (() => void) | undefined;
}

/**
 * Starts a controller. Resolves once it listens; what its predecessor left unfinished goes on then.
 * @throws ConfigError when its database cannot be used, the system's error when it cannot listen.
 */
export async function startController(config: ControllerConfig, log: Logger): Promise<Controller> {
  const store = await openStore(config.database, log, { auditKeptMs: config.audit.keep });
  try {
    return await startWith(store, config, log);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function startWith(store: Store, config: ControllerConfig, log: Logger): Promise<Controller> {
  let isDraining = false;
  const { identity_dir } = config;
  const identity = identity_dir === null ? undefined : await openIdentity(identity_dir, { config, db: store.db, log });
  const security = identity?.security ?? loopbackOnly;
  const agents = new AgentPool({ security, timeoutMs: config.agents.connect_timeout });
  const metrics = createMetrics({
    agents: () => agents.count(),
    rollouts: () => rollouts.states(),
    storeFault: () => store.fault(),
  });
  const fleet: Fleet = { agents, log, metrics, limits: limitsOf(config) };
  const rollouts = new Rollouts(fleet, store.rollouts);
  const desk = new RolloutDesk(rollouts, store);
  const certificates = new CertificateRecords(store.db);
  const ofFiles = credentialsOfFiles(config, log);
  const access = accessServices(store);
  const app = await createApp({
    log,
    metrics,
    fleet,
    desk,
    v1: {
      fleet,
      desk,
      eventsOf: (id) => rolloutEventsOf(store.rollouts, id),
      hosts: new HostDirectory(fleet),
      knownHosts: async () => {
        const joined = (await certificates.current()).flatMap(({ agent, revokedAt }) => (revokedAt ? [] : [agent]));
        return [...new Set([...joined, ...(await desk.namedHosts())])].sort();
      },
      agentPort: config.agents.port,
      isDraining: () => isDraining,
    },
    trail: new AuditTrail(store),
    agentPort: config.agents.port,
    access: accessRules(config),
    accessServices: access,
    httpsCredentials: ofFiles ?? credentialsOfOwnCa(config, identity),
    joining: identity,
    agentPackage: agentPackageOf(config),
    isDraining: () => isDraining,
    storeFault: () => store.fault(),
  });
  await warnOfOpenDoors(config, access, log);
  const listening: Promise<string> = app.listen(config.listen);
  // Fastify did not make the server, and takes it for plain HTTP.
  const url = config.tls === null ? await listening : (await listening).replace(/^http:/, 'https:');
  log.info({ url, version: VERSION, database: shownLocation(config.database) }, 'listening');
  rollouts.takeUp();
  identity?.start(agents);

  async function stop(): Promise<void> {
    isDraining = true;
    log.info({ rollouts: rollouts.count }, 'stopping');
    await rollouts.drain({ finishMs: config.shutdown_grace, cancelMs: config.shutdown_grace });
    await store.leave();
    // A caller that does not take its answer keeps nobody from stopping.
    const cut = setTimeout(() => app.server.closeAllConnections(), ANSWERS_MS);
    await app.close();
    clearTimeout(cut);
    await identity?.close();
    agents.close();
    ofFiles?.close();
    access.refusals.close();
    await store.close();
    log.info('stopped');
  }
  let stopped: Promise<void> | undefined;
  return { url, stop: () => (stopped ??= stop()), reload: ofFiles?.reload };
}

function credentialsOfFiles({ tls }: ControllerConfig, log: Logger): FileCredentials | undefined {
  return tls === null || tls === 'own_ca' ? undefined : fileCredentials(tls, log);
}

function agentPackageOf({ agents }: ControllerConfig): string | null {
  if (agents.package === null) return null;
  try {
    accessSync(agents.package, constants.R_OK);
    return agents.package;
  } catch (cause) {
    throw new ConfigError(`agents.package: ${agents.package} cannot be read: ${systemCode(cause)}`, { cause });
  }
}

function credentialsOfOwnCa(
  { tls }: ControllerConfig,
  identity: RunningIdentity | undefined,
): HttpsCredentials | undefined {
  if (tls !== 'own_ca') return undefined;
  if (identity) return identity.https;
  throw new ConfigError(
    'tls: own_ca cannot be used: identity_dir is not set, and sampan-controller init makes the CA there',
  );
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
