import { createHash } from 'node:crypto';
import { asDeployError, DeployError } from '@sampan/shared/errors.ts';
import { versionOf } from '@sampan/shared/names.ts';
import { MAX_TIMER_MS } from '@sampan/shared/units.ts';
import type { BackgroundTasks } from '../host/background-tasks.ts';
import { type InterruptedActivation, interruptedActivation } from '../operations/interrupted-activation.ts';
import type { ActivateOutcome, Fence, StageOutcome } from '../operations/journal-record.ts';
import { knownLinkTexts } from '../operations/known-link.ts';
import type { Holder } from '../operations/link-holds.ts';
import type { OperationContext } from '../operations/operation-context.ts';
import type { OperationRun } from '../operations/operation-run.ts';
import { type Operations, outcomeOf } from '../operations/operations.ts';
import { layoutOf, linkOf } from '../releases/layout.ts';
import { readLinkText } from '../releases/link.ts';
import { bury, type PruneOrder, takeOut } from '../releases/prune.ts';
import { type ActivateOrder, activate } from './activate.ts';
import type { HostServices } from './host-services.ts';
import { neededReleases } from './needed-releases.ts';
import { ownBase } from './own-base.ts';
import { type StageOrder, stage } from './stage.ts';

const DEFAULT_HOLD_MS = 60_000;

/** Programs that were just restarted, and the hosts of the same machine that still deploy, have processor and disk first. */
const PRUNE_AFTER_MS = 1000;

/** What both phases carry; zero means the default. */
interface Call {
  operationId: string;
  deadlineMs: number;
}

/** The two calls that make a deploy, as operations that hold their link. */
export class Deploys {
  readonly #services: HostServices;
  readonly #operations: Operations;
  readonly #background: BackgroundTasks;
  /** By the operation that took a link: whose hold ended by that, and is to be closed. */
  readonly #evicted = new Map<string, { operationId: string; reason: DeployError }>();

  constructor(services: HostServices, operations: Operations, background: BackgroundTasks) {
    this.#services = services;
    this.#operations = operations;
    this.#background = background;
  }

  /** Stages, or joins the call with the same id; the link stays held for `holdMs` after success. */
  stage(call: Call & { holdMs: number }, order: StageOrder): Promise<OperationRun> {
    const { link } = order.layout;
    const { operationId } = call;
    const { target, fileUrl, filename, sha256, fence } = order;
    const brings = versionOf(filename);
    const work = async (operation: OperationContext): Promise<{ kind: 'staged'; result: StageOutcome }> => {
      try {
        const result = await stage(order, this.#services, operation);
        this.#services.holds.expireIn(link, operationId, Math.min(call.holdMs || DEFAULT_HOLD_MS, MAX_TIMER_MS));
        return { kind: 'staged', result };
      } catch (error) {
        this.#services.holds.letGo(link, operationId);
        throw error;
      }
    };
    return this.#operations.start(
      {
        operationId,
        phase: 'stage',
        request: digest({ target, fileUrl, filename, sha256 }),
        target,
        oldTarget: () => this.#oldTarget(order, operationId),
        brings,
        prepare: () => this.#closeOthers(operationId, link),
        fence,
        deadlineMs: this.#deadline(call),
      },
      () => this.#hold(link, { operationId, project: target.projectName, version: brings, fence }),
      work,
    );
  }

  /** Activates, or joins; the link is free afterwards. Old releases go once the answer is out. */
  activate(call: Call & { filenameDelete: string }, order: ActivateOrder): Promise<OperationRun> {
    const { link } = order.layout;
    const { operationId } = call;
    const { target, choice, restart, autoRollback, healthCheck, fence } = order;
    const checked = healthCheck ? { healthCheck } : {};
    const brings = choice.kind === 'version' ? choice.version : choice.release;
    const work = async (operation: OperationContext): Promise<{ kind: 'activated'; result: ActivateOutcome }> => {
      try {
        const result = await activate(order, this.#services, operation);
        this.#prune(order, call.filenameDelete);
        return { kind: 'activated', result };
      } catch (error) {
        this.#dropFailed(order, operation);
        throw error;
      } finally {
        this.#services.holds.letGo(link, operationId);
      }
    };
    return this.#operations.start(
      {
        operationId,
        phase: 'activate',
        request: digest({ target, choice, restart, autoRollback, ...checked }),
        target,
        oldTarget: () => this.#oldTarget(order, operationId),
        brings,
        prepare: () => this.#closeOthers(operationId, link),
        activation: {
          choice,
          restart,
          autoRollback,
          filenameDelete: call.filenameDelete,
          deadlineMs: call.deadlineMs,
          ...checked,
        },
        fence,
        deadlineMs: this.#deadline(call),
      },
      () => this.#hold(link, { operationId, project: target.projectName, version: brings, fence }),
      work,
    );
  }

  /**
   * At start-up: goes on, unasked, with the activations that had flipped their link when the agent died, forwards or
   * back. A caller that asks again joins. One that had not flipped is left to its caller.
   */
  async resumeFlipped(): Promise<void> {
    // Newest first: it closes the older ones on its link, which somebody has decided about since.
    for (const [operationId, { records }] of [...this.#operations.all()].reverse()) {
      const interrupted = interruptedActivation(records);
      if (!interrupted || outcomeOf(records, 'activate')) continue;
      try {
        await this.#resume(operationId, interrupted);
      } catch (error) {
        // One that cannot be gone on with must not keep the agent from starting: whoever asks is told that it is unknown.
        this.#services.log.error({ err: error, operationId }, 'an interrupted activation cannot be gone on with');
        const known = `interrupted, ${asDeployError(error).code}`;
        await this.#operations.close(operationId, new DeployError('STATE_UNKNOWN', { known }));
      }
    }
  }

  async #resume(operationId: string, interrupted: InterruptedActivation): Promise<void> {
    const { target, activation, flippedTo, reverting } = interrupted;
    const layout = layoutOf(this.#services.config, target);
    if (!reverting && (await readLinkText(layout.link)) !== flippedTo) return;
    this.#services.log.warn({ operationId, target, reverting }, 'going on with an interrupted activation');
    await this.activate({ operationId, ...activation }, { target, layout, ...activation });
  }

  /**
   * Whoever works on a link now ends what a crash has interrupted there before, and what has staged and lost the link to it: that
   * must never be gone on with later.
   */
  async #closeOthers(operationId: string, link: string): Promise<void> {
    const evicted = this.#evicted.get(operationId);
    this.#evicted.delete(operationId);
    if (evicted) await this.#operations.close(evicted.operationId, evicted.reason);
    for (const [otherId, { records }] of this.#operations.all()) {
      const other = otherId === operationId ? undefined : interruptedActivation(records);
      if (!other || linkOf(this.#services.config, other.target) !== link) continue;
      await this.#operations.close(otherId, new DeployError('OPERATION_INTERRUPTED', { phase: 'activate' }));
    }
  }

  /** What the link names. Somebody who has set it by hand has decided so, which is heeded, and said. */
  async #oldTarget(
    { target, layout }: Pick<StageOrder, 'target' | 'layout'>,
    operationId: string,
  ): Promise<string | null> {
    const found = await readLinkText(layout.link);
    const known = knownLinkTexts(this.#operations.all().values(), target);
    if (known?.has(found) === false) {
      const { link } = layout;
      this.#services.log.warn({ operationId, link, found, left: [...known] }, 'the link was changed by somebody else');
    }
    return found;
  }

  /** Ends an operation before its flip. Once it is said to be cancelled its link is free for whoever comes next. */
  async cancel(operationId: string, fence?: Fence): Promise<'cancelled' | 'too_late' | 'finished'> {
    const known = this.#operations.find(operationId);
    const started = known?.records.find((record) => record.event === 'started');
    const link = started?.event === 'started' ? linkOf(this.#services.config, started.target) : undefined;
    if (link !== undefined) this.#services.fences.assertNewest(link, fence);
    const running = known?.running;
    const outcome = await this.#operations.cancel(operationId);
    if (!running) this.#services.holds.letGoOf(operationId);
    else if (outcome === 'cancelled') await running.ended();
    return outcome;
  }

  /** Removes what nothing needs, under the lock of the base; the removal itself goes on behind. */
  async prune(order: Omit<PruneOrder, 'needed'>): ReturnType<typeof takeOut> {
    const { layout } = order;
    await ownBase(layout, this.#services);
    const graves: string[] = [];
    try {
      const needed: PruneOrder['needed'] = (texts) =>
        neededReleases({ layout, texts }, this.#services, this.#operations);
      const plan = await this.#services.baseLock.run(layout.baseDir, () => takeOut({ ...order, needed }, graves));
      this.#services.metrics.prunedReleases.inc(plan.remove.length);
      return plan;
    } finally {
      this.#background.start('bury', () => bury(graves));
    }
  }

  #hold(link: string, holder: Holder): () => void {
    const { holds, fences } = this.#services;
    const { operationId, fence } = holder;
    fences.assertNewest(link, fence);
    const evicted = holds.acquire(link, holder);
    fences.obey(link, fence, operationId);
    if (evicted && fence) {
      const { number } = evicted.fence;
      const reason = new DeployError('COMMAND_OUTDATED', { number, obeyed: fence.number, operationId });
      this.#evicted.set(operationId, { operationId: evicted.operationId, reason });
    }
    return () => this.#services.holds.letGo(link, holder.operationId);
  }

  #deadline({ deadlineMs }: Call): number {
    return Math.min(deadlineMs || this.#services.config.download.timeout, MAX_TIMER_MS);
  }

  /** A copy that was staged for this deploy and failed is of no use to anybody: a caller that tries again and again would fill the disk. */
  #dropFailed({ layout, target, choice }: ActivateOrder, { operationId, history }: OperationContext): void {
    const staged = outcomeOf(history, 'stage');
    if (choice.kind !== 'release' || staged?.kind !== 'staged' || staged.result.reused) return;
    this.#background.start('drop', async () => {
      const keep = Number.POSITIVE_INFINITY;
      const { remove } = await this.prune({ layout, target, keep, unwantedRelease: choice.release });
      this.#services.log.info({ operationId, remove }, 'failed release dropped');
    });
  }

  #prune({ layout, target }: ActivateOrder, filenameDelete: string): void {
    const { keep } = this.#services.config.releases;
    const unwanted = filenameDelete === '' ? undefined : versionOf(filenameDelete);
    // What somebody has asked for is not put off: nobody would ask for it again.
    this.#background.startLater('prune', unwanted === undefined ? PRUNE_AFTER_MS : 0, async () => {
      const { remove, kept } = await this.prune({ layout, target, keep, unwanted });
      if (remove.length + kept.length > 0) this.#services.log.info({ target, remove, kept }, 'releases pruned');
    });
  }
}

function digest(request: unknown): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('hex');
}
