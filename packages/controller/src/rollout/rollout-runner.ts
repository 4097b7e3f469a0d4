import { DeployError } from '@sampan/shared/errors.ts';
import { abortable } from '../abortable.ts';
import { auditedEnd } from '../auth/audited-end.ts';
import type { Fleet } from '../fleet.ts';
import type { Outcomes } from '../outcomes.ts';
import type { Fence } from '../store/link-locks.ts';
import { type Locked, SameRollout } from '../store/recorded-rollout.ts';
import { RolloutTakenOver } from '../store/rollout-ownership.ts';
import type { RolloutRecords } from '../store/rollout-records.ts';
import { carryOut } from './carry-out.ts';
import { type Course, isEnd, type RolloutRequest, type RolloutState, rolloutTransitions } from './course.ts';
import { followRollout } from './follow-rollout.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { lockOrder } from './lock-order.ts';
import type { RolloutStop, TakenUp } from './rollout.ts';
import { RolloutLog } from './rollout-log.ts';
import type { RolloutPlan } from './rollout-plan.ts';
import { type InProgress, RunningRollout } from './running-rollout.ts';
import { recordedOutcome } from './stored-rollout.ts';
import { waitForLinks } from './wait-for-links.ts';

/** What is to be carried out, and the key under which the same request joins it. */
export interface Order {
  key: string;
  operationId: string;
  plan: RolloutPlan;
  /** Resolves once it is written down. */
  locked: Promise<Locked>;
  takenUp?: { course: Course; lastSeq: number; by: TakenUp };
}

/** So soon after a fault that nobody foresaw a rollout is tried again, here or elsewhere. */
const AGAIN_MS = 60_000;

/** Carries out the rollouts of this controller, from where they are until their end, or until another controller does. */
export class RolloutRunner {
  readonly #fleet: Fleet;
  readonly #records: RolloutRecords;
  readonly #leases: LeaseKeeper;
  readonly #running = new Map<string, RunningRollout>();
  readonly #joinable = new Map<string, RunningRollout>();
  readonly #cancelled = new AbortController();
  readonly #abandoned = new AbortController();
  /** Whoever waits for what other controllers carry out is told to ask one of those. */
  readonly #leaving = new AbortController();

  constructor(fleet: Fleet, records: RolloutRecords) {
    this.#fleet = fleet;
    this.#records = records;
    this.#leases = new LeaseKeeper(records, fleet.log);
  }

  /** By operation id. */
  get running(): ReadonlyMap<string, RunningRollout> {
    return this.#running;
  }

  /** Those that the same request joins, by plan. */
  get joinable(): ReadonlyMap<string, RunningRollout> {
    return this.#joinable;
  }

  /** Aborted with CONTROLLER_DRAINING when this controller leaves its work to others. */
  get leaving(): AbortSignal {
    return this.#leaving.signal;
  }

  /** How many run in each state. */
  states(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const state of Object.keys(rolloutTransitions)) if (!isEnd(state as RolloutState)) counts[state] = 0;
    for (const { inProgress } of this.#running.values()) {
      const state = inProgress?.log.course.state;
      if (state !== undefined) counts[state] = (counts[state] ?? 0) + 1;
    }
    return counts;
  }

  /**
   * Asks one that runs here to end, to pause before its next wave, or to go on. Resolves once that is written down, with the state in which
   * it is refused; undefined: it is not, or it is another controller's by now.
   */
  async request(operationId: string, request: RolloutRequest, who: string): Promise<RolloutState | 'OK' | undefined> {
    const inProgress = this.#running.get(operationId)?.inProgress;
    if (!inProgress) return undefined;
    const { state, isToPause } = inProgress.log.course;
    const isRefused =
      isEnd(state) || state === 'going_back' || (request === 'resume' && state !== 'paused' && !isToPause);
    if (isRefused) return state;
    try {
      await inProgress.log.decide({ kind: 'request', request, by: who });
    } catch (error) {
      if (error instanceof RolloutTakenOver) return undefined;
      throw error;
    }
    if (request === 'cancel') inProgress.cancelled.abort(new DeployError('OPERATION_CANCELLED', {}));
    return 'OK';
  }

  /** Carries one out. Nobody waits for it. */
  run(order: Order): RunningRollout {
    const { key, operationId, plan, takenUp } = order;
    const hosts = plan.hosts.map(({ name }) => name);
    const written = takenUp && { seq: takenUp.lastSeq, course: takenUp.course };
    const suspended = new AbortController();
    const log = new RolloutLog({ operationId, hosts, written, suspended: suspended.signal }, this.#records);
    const inProgress = { plan, log, begun: order.locked, cancelled: new AbortController(), suspended };
    const about = {
      operationId,
      isOwed: takenUp?.by.mayBegin === true,
      onSettled: () => this.#records.answered(operationId),
    };
    const carriedOut = this.#carryOut(order, inProgress);
    const outcomes = carriedOut.catch((error: unknown) => {
      if (!(error instanceof RolloutTakenOver)) throw error;
      // Those who wait here are told what the other controller comes to.
      about.isOwed = true;
      return this.follow(operationId, plan);
    });
    const rollout = new RunningRollout(about, outcomes, inProgress);
    this.#running.set(operationId, rollout);
    this.#joinable.set(key, rollout);
    const ended = () => {
      if (this.#joinable.get(key) === rollout) this.#joinable.delete(key);
      // It may be carried out here again by now.
      if (this.#running.get(operationId) !== rollout) return;
      this.#running.delete(operationId);
      this.#leases.drop(operationId);
    };
    const done = () => {
      if (!about.isOwed) this.#records.tells(operationId);
      ended();
    };
    carriedOut.then(done, (error: unknown) => {
      this.#noteStop(operationId, error);
      ended();
    });
    return rollout;
  }

  #noteStop(operationId: string, error: unknown): void {
    const { log } = this.#fleet;
    if (error instanceof SameRollout) return;
    if (DeployError.is(error, 'CONTROLLER_DRAINING')) this.#records.left(operationId);
    else if (error instanceof RolloutTakenOver) {
      log.warn({ operationId }, 'rollout left: another controller carries it out');
    } else if (DeployError.is(error, 'LINK_HELD')) {
      log.info({ operationId, params: error.params }, 'rollout refused: link held');
    } else if (DeployError.is(error, 'STORE_UNWRITABLE')) log.error({ operationId, err: error }, 'rollout not begun');
    else {
      log.error({ operationId, err: error }, 'rollout cannot be carried on here: a fault of ours');
      setTimeout(() => this.#records.left(operationId), AGAIN_MS).unref();
    }
  }

  async #carryOut(order: Order, inProgress: InProgress): Promise<Outcomes<unknown>> {
    const { operationId, plan, takenUp } = order;
    const { log } = inProgress;
    const stop = this.#stopOf(inProgress);
    let locked = await order.locked.catch((error: unknown) => {
      // Whoever asks something of it meanwhile does not wait for it to be written down.
      inProgress.suspended.abort(error);
      throw error;
    });
    leaveWhenLost(this.#records.ownership.lost(operationId), inProgress);
    this.#leases.keep(operationId);
    const places = lockOrder(operationId, plan);
    const signal = AbortSignal.any([stop.cancelled, stop.suspended]);
    if (plan.queue && !locked.fence && takenUp?.by.mayBegin !== false) {
      locked = await waitForLinks({ records: this.#records, log: this.#fleet.log }, places, signal).catch(() => {
        stop.suspended.throwIfAborted();
        return order.locked;
      });
    }
    const outcomes = await carryOut(this.#fleet, {
      operationId,
      plan,
      fence: locked.fence ?? null,
      held: locked.held,
      log,
      stop,
      takenUp: takenUp?.by,
      hostEnded: ({ name, address }, outcome) => {
        if (!outcome.ok) this.#noteOutdated(locked.fence, outcome.error);
        this.#records.hostEnded(operationId, recordedOutcome(name, outcome));
        this.#records.unlock(operationId, address.key);
      },
    });
    this.#records.unlock(operationId);
    await this.#records.ended(operationId, auditedEnd(outcomes));
    return outcomes;
  }

  #stopOf({ cancelled, suspended }: InProgress): RolloutStop {
    return {
      cancelled: AbortSignal.any([this.#cancelled.signal, cancelled.signal]),
      abandoned: AbortSignal.any([this.#abandoned.signal, suspended.signal]),
      suspended: suspended.signal,
    };
  }

  /** Our database may be an older copy of itself, which would give out fences that agents refuse: for the next rollout it is not. */
  #noteOutdated(fence: Fence | undefined, error: DeployError): void {
    if (!fence || !DeployError.is(error, 'COMMAND_OUTDATED')) return;
    const { obeyed } = error.params;
    void this.#records.fenceObeyed({ database: fence.database, number: obeyed }).then(
      (wasBehind) => {
        if (!wasBehind) return;
        this.#fleet.log.error(
          { obeyed },
          'an agent has obeyed a lock that the database never gave: was it restored from a backup?',
        );
      },
      (err: unknown) => this.#fleet.log.warn({ err }, 'the database cannot be asked for its last fence'),
    );
  }

  /** What a rollout comes to that another controller carries out. */
  follow(operationId: string, plan: RolloutPlan, left?: AbortSignal): Promise<Outcomes<unknown>> {
    const services = { records: this.#records, log: this.#fleet.log };
    const signal = left ? AbortSignal.any([this.#leaving.signal, left]) : this.#leaving.signal;
    return followRollout(services, { operationId, plan }, signal);
  }

  /**
   * Resolves when nothing runs any more. What runs has `finishMs` to finish, unless nobody waits for it and it waits itself. Then
   * what nobody waits for is left to another controller; of the rest, whatever has not flipped is cancelled, and has `cancelMs`;
   * then hosts that still are not done are given up as 状态未知.
   */
  async drain({ finishMs, cancelMs }: { finishMs: number; cancelMs: number }): Promise<void> {
    const reason = new DeployError('OPERATION_CANCELLED', {});
    this.#suspend(({ log }) => ['queued', 'paused', 'baking'].includes(log.course.state));
    const isIdle = await this.#idleWithin(finishMs);
    this.#leaving.abort(new DeployError('CONTROLLER_DRAINING', {}));
    if (isIdle) return this.#leases.stop();
    this.#suspend(() => true);
    this.#fleet.log.warn({ rollouts: this.#running.size }, 'cancelling what has not flipped yet');
    this.#cancelled.abort(reason);
    if (!(await this.#idleWithin(cancelMs))) {
      this.#fleet.log.error({ rollouts: this.#running.size }, 'giving up on what has not answered');
      this.#abandoned.abort(reason);
      await this.#idle();
    }
    this.#leases.stop();
  }

  #suspend(which: (inProgress: InProgress) => boolean): void {
    for (const { operationId, inProgress, isWaitedFor } of this.#running.values()) {
      if (isWaitedFor || !inProgress || !which(inProgress)) continue;
      this.#fleet.log.info({ operationId }, 'rollout left to another controller');
      inProgress.suspended.abort(new DeployError('CONTROLLER_DRAINING', {}));
    }
  }

  async #idleWithin(ms: number): Promise<boolean> {
    const timeout = AbortSignal.timeout(ms);
    await abortable(this.#idle(), timeout).catch(() => undefined);
    return this.#running.size === 0;
  }

  async #idle(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map((rollout) => rollout.outcomes));
  }
}

function leaveWhenLost(lost: AbortSignal, { suspended }: InProgress): void {
  const leave = () => suspended.abort(lost.reason);
  if (lost.aborted) leave();
  else lost.addEventListener('abort', leave, { once: true });
}
