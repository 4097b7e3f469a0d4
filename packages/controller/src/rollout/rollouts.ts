import { randomUUIDv7 } from 'node:crypto';
import { DeployError } from '@sampan/shared/errors.ts';
import { abortable } from '../abortable.ts';
import { auditRow } from '../auth/audit.ts';
import { auditedEnd } from '../auth/audited-end.ts';
import type { Fleet } from '../fleet.ts';
import type { Outcomes } from '../outcomes.ts';
import type { Locked, OnHeld, RolloutRecords, UnansweredRollout } from '../store/rollout-records.ts';
import { carryOut } from './carry-out.ts';
import { type Course, isEnd, type RolloutState, rolloutTransitions } from './course.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { judgeLeftBehind, OWED_MS } from './left-behind.ts';
import { lockOrder } from './lock-order.ts';
import type { RolloutStop, TakenUp } from './rollout.ts';
import { begunEntry, type Requester } from './rollout-audit.ts';
import { RolloutLog } from './rollout-log.ts';
import { planKey, type RolloutPlan } from './rollout-plan.ts';
import { type InProgress, RunningRollout } from './running-rollout.ts';
import { recordedOutcome, recordOf } from './stored-rollout.ts';
import { waitForLinks } from './wait-for-links.ts';

/** What is to be carried out, and the key under which the same request joins it. */
interface Order {
  key: string;
  operationId: string;
  plan: RolloutPlan;
  /** Resolves once it is written down. */
  locked: Promise<Locked>;
  takenUp?: { course: Course; lastSeq: number; by: TakenUp };
}

/** How a rollout is begun. `idempotencyKey` is unique among all that are remembered. */
export interface Beginning {
  onHeld: OnHeld;
  idempotencyKey: string | undefined;
}

/**
 * The rollouts of this process. They belong to nobody: a caller that goes away changes nothing.
 *
 * INVARIANTS: a rollout is written down before any agent hears of it; of equal plans that callers wait for at most one runs; an
 * outcome that was told, or that a later rollout of the same link has overtaken, is told to nobody who comes afterwards.
 */
export class Rollouts {
  readonly #fleet: Fleet;
  readonly #records: RolloutRecords;
  readonly #leases: LeaseKeeper;
  /** By plan: what runs, and what ended unheard because the controller died. */
  readonly #joinable = new Map<string, RunningRollout>();
  readonly #running = new Map<string, RunningRollout>();
  readonly #takenUp = Promise.withResolvers<void>();
  readonly #cancelled = new AbortController();
  readonly #abandoned = new AbortController();

  private constructor(fleet: Fleet, records: RolloutRecords) {
    this.#fleet = fleet;
    this.#records = records;
    this.#leases = new LeaseKeeper(records, fleet.log);
  }

  /** Knows what the process before this one left unfinished or unheard, so that the same request joins it. */
  static async open(fleet: Fleet, records: RolloutRecords): Promise<Rollouts> {
    const rollouts = new Rollouts(fleet, records);
    for (const left of await records.unanswered()) await rollouts.#know(left);
    return rollouts;
  }

  get count(): number {
    return this.#running.size;
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

  /** Those that run here. */
  running(): ReadonlyMap<string, RunningRollout> {
    return this.#running;
  }

  /** Carries on what the process before this one left unfinished. Until this is called, nothing of it is sent. */
  takeUp(): void {
    this.#takenUp.resolve();
  }

  /**
   * Starts a rollout that `by` asked for, or joins the one of the same plan. The caller is to `leave` it once it is told, or
   * gone. Hosts whose link somebody else holds fail, unless the plan waits for them.
   */
  start(plan: RolloutPlan, by: Requester, idempotencyKey?: string): RunningRollout {
    const known = this.#joinable.get(planKey(plan));
    if (known && idempotencyKey === undefined) {
      const { operationId, hasEnded } = known;
      this.#fleet.log.info({ operationId, hasEnded }, 'the same request again: joined');
      return known.join();
    }
    const onHeld = plan.queue ? 'wait' : 'fail_hosts';
    return this.begin(plan, by, { onHeld, idempotencyKey }).join();
  }

  /** Starts one, whatever else runs. Nobody waits for it. */
  begin(plan: RolloutPlan, by: Requester, { onHeld, idempotencyKey }: Beginning): RunningRollout {
    const key = planKey(plan);
    // Of the same link, whatever ended unheard is out of date from now on.
    for (const other of this.#joinable.values()) {
      if (other.hasEnded && other.linkName === plan.target.linkName) other.settle();
    }
    const operationId = randomUUIDv7();
    const record = { ...recordOf(operationId, plan), requestedBy: by.who, idempotencyKey: idempotencyKey ?? null };
    const audit = auditRow(begunEntry(operationId, plan, by));
    const locked = this.#records.begin(record, audit, { order: lockOrder(operationId, plan), onHeld });
    return this.#run({ key, operationId, plan, locked });
  }

  /** One that has ended, for who asks again with its Idempotency-Key. */
  ended(operationId: string, plan: RolloutPlan, outcomes: Outcomes<unknown>): RunningRollout {
    const about = { operationId, linkName: plan.target.linkName, isOwed: false, onSettled: () => undefined };
    return new RunningRollout(about, Promise.resolve(outcomes)).join();
  }

  /**
   * Resolves when nothing runs any more. What runs has `finishMs` to finish, unless nobody waits for it and it waits itself. Then
   * what nobody waits for is left to the next controller; of the rest, whatever has not flipped is cancelled, and has `cancelMs`;
   * then hosts that still are not done are given up as 状态未知.
   */
  async drain({ finishMs, cancelMs }: { finishMs: number; cancelMs: number }): Promise<void> {
    const reason = new DeployError('OPERATION_CANCELLED', {});
    this.#suspend(({ log }) => ['queued', 'paused', 'baking'].includes(log.course.state));
    if (await this.#idleWithin(finishMs)) return this.#leases.stop();
    this.#suspend(() => true);
    this.#fleet.log.warn({ rollouts: this.count }, 'cancelling what has not flipped yet');
    this.#cancelled.abort(reason);
    if (!(await this.#idleWithin(cancelMs))) {
      this.#fleet.log.error({ rollouts: this.count }, 'giving up on what has not answered');
      this.#abandoned.abort(reason);
      await this.#idle();
    }
    this.#leases.stop();
  }

  #suspend(which: (inProgress: InProgress) => boolean): void {
    for (const { operationId, inProgress, isWaitedFor } of this.#running.values()) {
      if (isWaitedFor || !inProgress || !which(inProgress)) continue;
      this.#fleet.log.info({ operationId }, 'rollout left to the next controller');
      inProgress.suspended.abort(new DeployError('CONTROLLER_DRAINING', {}));
    }
  }

  async #know(left: UnansweredRollout): Promise<void> {
    const { operationId, planKey: key, linkName } = left;
    const changes = await this.#records.events.changes(operationId);
    const last = await this.#records.events.last(operationId);
    const hostTimeoutMs = this.#fleet.limits.timeoutMs;
    const found = judgeLeftBehind({ left, changes, lastEventAt: last?.at, nowMs: Date.now(), hostTimeoutMs });
    switch (found.kind) {
      case 'running': {
        const { plan, course, takenUp } = found;
        // One that is only to be closed keeps nobody from asking for the same anew.
        const joinedBy = takenUp.mayBegin ? key : operationId;
        const locked = this.#takenUp.promise.then(() => this.#lockAgain(operationId, plan, course));
        this.#run({
          key: joinedBy,
          operationId,
          plan,
          locked,
          takenUp: { course, lastSeq: last?.seq ?? 0, by: takenUp },
        });
        return;
      }
      case 'unheard':
        this.#keep(
          this.#create({ key, operationId, linkName, isOwed: true }, Promise.resolve(found.outcomes)),
          found.keptMs,
        );
        return;
      case 'past':
        this.#records.answered(operationId);
        return;
      case 'unreadable':
        this.#fleet.log.error(
          { operationId, err: found.cause },
          'the record of a rollout cannot be read, so it is dropped',
        );
        void this.#records.ended(operationId, { outcome: 'failed', details: { unreadable: true } });
        this.#records.answered(operationId);
    }
  }

  async #lockAgain(operationId: string, plan: RolloutPlan, course: Course): Promise<Locked> {
    if (course.state === 'queued' && plan.queue) return { fence: undefined, held: new Map() };
    const open = plan.hosts.filter(({ name }) => !isEnd(course.hosts.get(name)?.state ?? 'waiting'));
    return await this.#records.lockAgain(lockOrder(operationId, { ...plan, hosts: open }));
  }

  #run(order: Order): RunningRollout {
    const { key, operationId, plan, takenUp } = order;
    const isOwed = takenUp?.by.mayBegin === true;
    const hosts = plan.hosts.map(({ name }) => name);
    const written = takenUp && { seq: takenUp.lastSeq, course: takenUp.course };
    const log = new RolloutLog({ operationId, hosts, written }, this.#records);
    const inProgress = {
      plan,
      log,
      begun: order.locked,
      cancelled: new AbortController(),
      suspended: new AbortController(),
    };
    const about = { key, operationId, linkName: plan.target.linkName, isOwed };
    const rollout = this.#create(about, this.#carryOut(order, inProgress), inProgress);
    this.#running.set(operationId, rollout);
    const ended = () => {
      this.#running.delete(operationId);
      this.#leases.drop(operationId);
      if (isOwed) this.#keep(rollout, OWED_MS);
      else this.#forget(key, rollout);
    };
    rollout.outcomes.then(ended, (error: unknown) => {
      const isRefused = DeployError.is(error, 'LINK_HELD');
      if (isRefused) this.#fleet.log.info({ operationId, params: error.params }, 'rollout refused: link held');
      else if (!inProgress.suspended.signal.aborted) {
        this.#fleet.log.error({ operationId, err: error }, 'rollout not begun');
      }
      ended();
    });
    return rollout;
  }

  async #carryOut(order: Order, inProgress: InProgress): Promise<Outcomes<unknown>> {
    const { operationId, plan, takenUp } = order;
    const { log } = inProgress;
    const stop = this.#stopOf(inProgress);
    let locked = await order.locked;
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

  #create(
    { key, ...about }: { key: string; operationId: string; linkName: string; isOwed: boolean },
    outcomes: Promise<Outcomes<unknown>>,
    inProgress?: InProgress,
  ): RunningRollout {
    const onSettled = () => {
      this.#records.answered(about.operationId);
      this.#forget(key, rollout);
    };
    const rollout = new RunningRollout({ ...about, onSettled }, outcomes, inProgress);
    this.#joinable.set(key, rollout);
    return rollout;
  }

  #keep(rollout: RunningRollout, ms: number): void {
    setTimeout(() => rollout.settle(), ms).unref();
  }

  #forget(key: string, rollout: RunningRollout): void {
    if (this.#joinable.get(key) === rollout) this.#joinable.delete(key);
  }

  async #idleWithin(ms: number): Promise<boolean> {
    const timeout = AbortSignal.timeout(ms);
    await abortable(this.#idle(), timeout).catch(() => undefined);
    return this.count === 0;
  }

  async #idle(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map((rollout) => rollout.outcomes));
  }
}
