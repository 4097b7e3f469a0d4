import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '@sampan/shared/errors.ts';
import type { Logger } from '@sampan/shared/logger.ts';
import { UnpackThread } from './artifact/unpack-thread.ts';
import type { AgentConfig } from './config.ts';
import { Deploys } from './deploy/deploys.ts';
import type { HostServices } from './deploy/host-services.ts';
import { recover } from './deploy/recover.ts';
import { BackgroundTasks } from './host/background-tasks.ts';
import { makeDirectory, writeDurably } from './host/durable-file.ts';
import { ExclusiveDirectories } from './host/exclusive-directories.ts';
import { IdleMemory } from './host/idle-memory.ts';
import { resolveOwners } from './host/owners.ts';
import { Identity } from './identity/identity.ts';
import { createMetrics } from './metrics.ts';
import { Fences } from './operations/fences.ts';
import { Journal } from './operations/journal.ts';
import { KeyedLock } from './operations/keyed-lock.ts';
import { LinkHolds } from './operations/link-holds.ts';
import { Operations } from './operations/operations.ts';
import { KnownSequences } from './releases/known-sequences.ts';
import { fixedPartOf, linkOf } from './releases/layout.ts';
import type { AgentCore } from './server/agent-core.ts';
import { GrpcServer } from './server/grpc-server.ts';
import { Readiness } from './server/readiness.ts';
import { StatusServer } from './server/status-server.ts';
import { Supervisor } from './supervisor/supervisor.ts';
import { Upgrade } from './upgrade/upgrade.ts';

/** Calls that still wait for their answer when the agent stops get this long. */
const CLOSE_GRACE_MS = 5000;
const LOOK_UP_DEADLINE_MS = 30_000;

/** A running agent. */
export interface Agent {
  grpcPort: number;
  healthPort: number;
  /** Takes nothing new, ends what has not flipped, finishes the rest, closes. */
  stop(): Promise<void>;
}

/** Builds an agent from its configuration, closes what an earlier life left open, and only then opens its ports. */
export async function startAgent(config: AgentConfig, log: Logger): Promise<Agent> {
  // Before anything is touched: without it there is nobody to obey.
  const identity = config.identity_dir === null ? undefined : await Identity.open(config.identity_dir);
  const owners = await resolveOwners(config, AbortSignal.timeout(LOOK_UP_DEADLINE_MS));
  await makeDirectory(config.state_dir);
  const directories = new ExclusiveDirectories();
  // Before the journal is read: a second start beside a running agent must touch nothing.
  await directories.hold(config.state_dir);
  const metrics = createMetrics(() => operations.runningCount);
  const operations = await Operations.open(await Journal.open(config.state_dir), { log, metrics });
  const fences = await Fences.open(config.state_dir, operations.all(), (target) => linkOf(config, target));
  operations.beforeForgetting = () => fences.keep();
  const supervisor = new Supervisor(supervisorSettings(config), log);
  const services: HostServices = {
    config,
    log,
    metrics,
    owners,
    supervisor,
    unpackThread: new UnpackThread(),
    directories,
    holds: new LinkHolds(),
    fences,
    sequences: new KnownSequences(),
    baseLock: new KeyedLock(),
  };
  await recover(services, operations);
  await supervisor.recover(AbortSignal.timeout(LOOK_UP_DEADLINE_MS));
  const background = new BackgroundTasks(log);
  const deploys = new Deploys(services, operations, background);
  await deploys.resumeFlipped();
  const core: AgentCore = {
    services,
    operations,
    deploys,
    readiness: new Readiness(config, { supervisor, clock: operations.clock }),
    idleMemory: new IdleMemory(() => operations.runningCount > 0),
    upgrade: new Upgrade(config.state_dir),
    agentId: await agentIdIn(config.state_dir),
    identity,
  };
  return serve(core, background);
}

async function serve(core: AgentCore, background: BackgroundTasks): Promise<Agent> {
  const { config, log } = core.services;
  const grpc = new GrpcServer(core);
  const status = new StatusServer(core);
  const grpcPort = await grpc.listen(config.listen);
  const healthPort = await status.listen(config.health_listen);
  const tls = core.identity ? { certificateExpiresAt: core.identity.expiresAt } : 'none';
  log.info({ host: config.listen.host, grpcPort, healthPort, agentId: core.agentId, tls }, 'agent is ready');
  core.idleMemory.stirred();
  return {
    grpcPort,
    healthPort,
    async stop() {
      log.info({ running: core.operations.runningCount }, 'agent stops');
      grpc.drain();
      status.drain();
      await core.operations.drain();
      await grpc.close(CLOSE_GRACE_MS);
      await background.settled();
      await status.close();
      core.services.directories.letGo();
      log.info('agent has stopped');
    },
  };
}

function supervisorSettings({
  supervisor,
  languages,
  state_dir,
}: AgentConfig): ConstructorParameters<typeof Supervisor>[0] {
  const logRoots = Object.values(languages).map(({ log_file }) => fixedPartOf(log_file));
  return {
    ctl: supervisor.ctl,
    confFile: supervisor.conf_file,
    settleMs: supervisor.settle,
    logRoots: [...new Set(logRoots)],
    recordsDir: join(state_dir, 'programs'),
  };
}

async function agentIdIn(stateDir: string): Promise<string> {
  const path = join(stateDir, 'agent-id');
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  const agentId = randomUUID();
  await writeDurably(path, `${agentId}\n`);
  return agentId;
}
