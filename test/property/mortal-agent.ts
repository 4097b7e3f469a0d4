import { join } from 'node:path';
import { type AgentConfig, agentConfigSchema } from '@sampan/agent/config.ts';
import { Deploys } from '@sampan/agent/deploy/deploys.ts';
import type { HostServices } from '@sampan/agent/deploy/host-services.ts';
import { recover } from '@sampan/agent/deploy/recover.ts';
import { BackgroundTasks } from '@sampan/agent/host/background-tasks.ts';
import { makeDirectory } from '@sampan/agent/host/durable-file.ts';
import { ExclusiveDirectories } from '@sampan/agent/host/exclusive-directories.ts';
import { createMetrics } from '@sampan/agent/metrics.ts';
import { Fences } from '@sampan/agent/operations/fences.ts';
import { Journal } from '@sampan/agent/operations/journal.ts';
import type { Outcome } from '@sampan/agent/operations/journal-record.ts';
import { KeyedLock } from '@sampan/agent/operations/keyed-lock.ts';
import { LinkHolds } from '@sampan/agent/operations/link-holds.ts';
import type { OperationRun } from '@sampan/agent/operations/operation-run.ts';
import { Operations, outcomeOf } from '@sampan/agent/operations/operations.ts';
import { KnownSequences } from '@sampan/agent/releases/known-sequences.ts';
import { layoutOf, linkOf, type Target } from '@sampan/agent/releases/layout.ts';
import { listReleases, type Release } from '@sampan/agent/releases/release-store.ts';
import { Supervisor } from '@sampan/agent/supervisor/supervisor.ts';
import { asDeployError } from '@sampan/shared/errors.ts';
import { toWire } from '@sampan/shared/wire-error.ts';
import { silentLog } from '../helpers/silent-log.ts';
import { agentConfig } from '../helpers/start-agent.ts';
import { type Death, Life, LifeIsOver } from './life.ts';

/** How many releases of a project retention keeps. */
export const KEEP = 2;

/** A deploy as the agent is told. */
export interface DeployOrder {
  operationId: string;
  target: Target;
  fileUrl: string;
  filename: string;
  sha256: string | undefined;
  filenameDelete: string;
}

/** What a caller is told; undefined where the agent died before. */
export type Told = Outcome | undefined;

/** One life, with what it works with. */
interface Core {
  life: Life;
  operations: Operations;
  deploys: Deploys;
  background: BackgroundTasks;
}

/** The agent's own code on real files, without its network and without supervisor, that dies when it is told, and comes back. */
export class MortalAgent {
  readonly config: AgentConfig;
  /** Held by this process: a life that ends in it would leave them held. */
  readonly #directories = new ExclusiveDirectories();
  #core: Core | undefined;

  constructor(root: string) {
    const { languages } = agentConfig(root);
    const hook = { run: ['sh', '-c', `test ! -e ${root}/hook-fails-$SAMPAN_PROJECT`] };
    this.config = agentConfigSchema.parse({
      ...agentConfig(root),
      languages: { ...languages, php: { ...languages.php, hooks: { post_activate: hook } } },
      releases: { keep: KEEP },
      download: { attempts: 1 },
    });
  }

  get isAlive(): boolean {
    return this.#core?.life.isOver === false;
  }

  /** Dies at that call of what it does from now on. */
  dieAt(death: Death | undefined): void {
    this.#core?.life.endAt(death);
  }

  /** A new life: what an earlier one left open is closed, what had flipped is finished. False: it died of `death` meanwhile. */
  async start(death?: Death): Promise<boolean> {
    this.#core?.life.end();
    const life = new Life();
    life.endAt(death);
    try {
      this.#core = await life.run(() => this.#open(life));
      await this.settled();
      return !life.isOver;
    } catch (error) {
      if (!(error instanceof LifeIsOver)) throw error;
      return false;
    }
  }

  end(): void {
    this.#core?.life.end();
  }

  /** Stages only. */
  async stage(order: DeployOrder, holdMs = 0): Promise<Told> {
    const { operationId, target, fileUrl, filename, sha256 } = order;
    const layout = layoutOf(this.config, target);
    const call = { operationId, deadlineMs: 0, holdMs };
    return await this.#told(({ deploys }) =>
      deploys.stage(call, { target, layout, fileUrl, filename, sha256, willRestart: false }),
    );
  }

  async deploy(order: DeployOrder): Promise<Told> {
    const staged = await this.stage(order);
    if (staged?.kind !== 'staged') return staged;
    const { operationId, target, filenameDelete } = order;
    const choice = { kind: 'release', release: staged.result.release } as const;
    return await this.#activate({ operationId, target, filenameDelete }, choice);
  }

  async rollback(order: { operationId: string; target: Target; version: string }): Promise<Told> {
    const { operationId, target, version } = order;
    return await this.#activate({ operationId, target, filenameDelete: '' }, { kind: 'version', version });
  }

  /** Deletes the copies of a version that nothing needs. */
  async remove(target: Target, version: string): Promise<void> {
    const core = this.#alive();
    const layout = layoutOf(this.config, target);
    const order = { layout, target, keep: Number.POSITIVE_INFINITY, unwanted: version };
    await core.life.run(() => core.deploys.prune(order)).catch(ignoreDeath);
  }

  /** What an activation came to, by the journal. */
  knownOutcome(operationId: string): Outcome | undefined {
    const records = this.#alive().operations.find(operationId)?.records ?? [];
    return outcomeOf(records, 'activate');
  }

  /** Newest first. */
  list(target: Target): Promise<Release[]> {
    return listReleases(layoutOf(this.config, target), target);
  }

  /** Resolves when nothing goes on any more. */
  async settled(): Promise<void> {
    const { life, operations, background } = this.#alive();
    const running = [...operations.all().values()].flatMap((known) => known.running ?? []);
    await life
      .run(async () => {
        await Promise.all(running.map((run) => run.ended()));
        await background.settled();
      })
      .catch(ignoreDeath);
  }

  #activate(
    { operationId, target, filenameDelete }: Pick<DeployOrder, 'operationId' | 'target' | 'filenameDelete'>,
    choice: Parameters<Deploys['activate']>[1]['choice'],
  ): Promise<Told> {
    const layout = layoutOf(this.config, target);
    const order = { target, layout, choice, restart: false, autoRollback: true };
    return this.#told(({ deploys }) => deploys.activate({ operationId, deadlineMs: 0, filenameDelete }, order));
  }

  async #told(start: (core: Core) => Promise<OperationRun>): Promise<Told> {
    const core = this.#alive();
    try {
      return await core.life.run(async () => {
        const run = await start(core);
        await run.ended();
        return run.outcome;
      });
    } catch (error) {
      if (error instanceof LifeIsOver) return undefined;
      // Refused before it began.
      return { kind: 'failed', error: toWire(asDeployError(error)) };
    }
  }

  #alive(): Core {
    if (!this.#core) throw new Error('it has not been started');
    return this.#core;
  }

  /** As startAgent does, less what listens. */
  async #open(life: Life): Promise<Core> {
    const { config } = this;
    await makeDirectory(config.state_dir);
    const metrics = createMetrics(() => 0);
    const operations = await Operations.open(await Journal.open(config.state_dir), { log: silentLog, metrics });
    const recordsDir = join(config.state_dir, 'programs');
    const settings = { ctl: ['false'] as [string], confFile: 'auto', settleMs: 1, logRoots: [], recordsDir };
    const services: HostServices = {
      config,
      log: silentLog,
      metrics,
      owners: new Map(),
      supervisor: new Supervisor(settings, silentLog),
      directories: this.#directories,
      holds: new LinkHolds(),
      fences: await Fences.open(config.state_dir, operations.all(), (target) => linkOf(config, target)),
      sequences: new KnownSequences(),
      baseLock: new KeyedLock(),
    };
    await recover(services, operations);
    const background = new BackgroundTasks(silentLog);
    const deploys = new Deploys(services, operations, background);
    this.#core = { life, operations, deploys, background };
    await deploys.resumeFlipped();
    return this.#core;
  }
}

function ignoreDeath(error: unknown): void {
  if (!(error instanceof LifeIsOver)) throw error;
}
