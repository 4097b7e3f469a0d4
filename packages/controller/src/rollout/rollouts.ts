import { randomUUIDv7 } from 'node:crypto';
import { DeployError } from '@sampan/shared/errors.ts';
import { abortable } from '../abortable.ts';
import { auditRow } from '../auth/audit.ts';
import { auditedEnd } from '../auth/audited-end.ts';
import type { Fleet } from '../fleet.ts';
import type { Outcomes } from '../outcomes.ts';
import type { RolloutRecords, UnansweredRollout } from '../store/rollout-records.ts';
import { judgeLeftBehind, OWED_MS } from './left-behind.ts';
import { runRollout, type TakenUp } from './rollout.ts';
import { begunEntry, type Requester } from './rollout-audit.ts';
import { planKey, type RolloutPlan } from './rollout-plan.ts';
import { RunningRollout } from './running-rollout.ts';
import { recordedOutcome, recordOf } from './stored-rollout.ts';

/** What is to be carried out, and the key under which the same request joins it. */
interface Order {
  key: string;
  operationId: string;
  plan: RolloutPlan;
  takenUp?: TakenUp;
}

/**
 * The rollouts of this process. They belong to nobody: a caller that goes away changes nothing.
 *
 * INVARIANTS: a rollout is written down before any agent hears of it; of equal plans at most one runs; an outcome that was
 * told, or that a later rollout of the same link has overtaken, is told to nobody who comes afterwards.
 */
export class Rollouts {
  readonly #fleet: Fleet;
  readonly #records: RolloutRecords;
  /** By plan: what runs, and what ended unheard because the controller died. */
  readonly #joinable = new Map<string, RunningRollout>();
  readonly #running = new Set<RunningRollout>();
  readonly #takenUp = Promise.withResolvers<void>();
  readonly #cancelled = new AbortController();
  readonly #abandoned = new AbortController();

  private constructor(fleet: Fleet, records: RolloutRecords) {
    this.#fleet = fleet;
    this.#records = records;
  }

  /** Knows what the process before this one left unfinished or unheard, so that the same request joins it. */
  static async open(fleet: Fleet, records: RolloutRecords): Promise<Rollouts> {
    const rollouts = new Rollouts(fleet, records);
    for (const left of await records.unanswered()) rollouts.#know(left);
    return rollouts;
  }

  get count(): number {
    return this.#running.size;
  }

  /** Carries on what the process before this one left unfinished. Until this is called, nothing of it is sent. */
  takeUp(): void {
    this.#takenUp.resolve();
  }

  /**
   * Starts a rollout that `by` asked for, or joins the one of the same plan. The caller is to `leave` it once it is told, or
   * gone.
   */
  start(plan: RolloutPlan, by: Requester): RunningRollout {
    const key = planKey(plan);
    const known = this.#joinable.get(key);
    if (known) {
      const { operationId, hasEnded } = known;
      this.#fleet.log.info({ operationId, hasEnded }, 'the same request again: joined');
      return known.join();
    }
    for (const other of this.#joinable.values()) {
      if (other.hasEnded && other.linkName === plan.target.linkName) other.settle();
    }
    const operationId = randomUUIDv7();
    const recorded = this.#records.begin(recordOf(operationId, plan), auditRow(begunEntry(operationId, plan, by)));
    return this.#run({ key, operationId, plan }, recorded).join();
  }

  /**
   * Resolves when nothing runs any more. What runs has `finishMs` to finish; then whatever has not flipped is cancelled, and the
   * rest has `cancelMs`; then hosts that still are not done are given up as 状态未知.
   */
  async drain({ finishMs, cancelMs }: { finishMs: number; cancelMs: number }): Promise<void> {
    const reason = new DeployError('OPERATION_CANCELLED', {});
    if (await this.#idleWithin(finishMs)) return;
    this.#fleet.log.warn({ rollouts: this.count }, 'cancelling what has not flipped yet');
    this.#cancelled.abort(reason);
    if (await this.#idleWithin(cancelMs)) return;
    this.#fleet.log.error({ rollouts: this.count }, 'giving up on what has not answered');
    this.#abandoned.abort(reason);
    await this.#idle();
  }

  #know(left: UnansweredRollout): void {
    const { operationId, planKey: key, linkName } = left;
    const found = judgeLeftBehind(left, Date.now(), this.#fleet.limits.timeoutMs);
    switch (found.kind) {
      case 'running': {
        const { plan, takenUp } = found;
        // One that is only to be closed keeps nobody from asking for the same anew.
        this.#run({ key: takenUp.mayBegin ? key : operationId, operationId, plan, takenUp }, this.#takenUp.promise);
        return;
      }
      case 'unheard': {
        const about = { key, operationId, linkName, isOwed: true };
        this.#keep(this.#create(about, Promise.resolve(found.outcomes)), found.keptMs);
        return;
      }
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

  #run(order: Order, ready: Promise<void>): RunningRollout {
    const { key, operationId, plan, takenUp } = order;
    const isOwed = takenUp?.mayBegin === true;
    const about = { key, operationId, linkName: plan.target.linkName, isOwed };
    const rollout = this.#create(
      about,
      ready.then(() => this.#carryOut(order)),
    );
    this.#running.add(rollout);
    const ended = () => {
      this.#running.delete(rollout);
      if (isOwed) this.#keep(rollout, OWED_MS);
      else this.#forget(key, rollout);
    };
    rollout.outcomes.then(ended, (error: unknown) => {
      this.#fleet.log.error({ operationId, err: error }, 'rollout not begun');
      ended();
    });
    return rollout;
  }

  async #carryOut({ operationId, plan, takenUp }: Order): Promise<Outcomes<unknown>> {
    const outcomes = await runRollout(this.#fleet, {
      operationId,
      plan,
      stop: { cancelled: this.#cancelled.signal, abandoned: this.#abandoned.signal },
      ...(takenUp ? { takenUp } : {}),
      hostEnded: (host, outcome) => this.#records.hostEnded(operationId, recordedOutcome(host, outcome)),
    });
    await this.#records.ended(operationId, auditedEnd(outcomes));
    return outcomes;
  }

  #create(
    { key, ...about }: { key: string; operationId: string; linkName: string; isOwed: boolean },
    outcomes: Promise<Outcomes<unknown>>,
  ): RunningRollout {
    const onSettled = () => {
      this.#records.answered(about.operationId);
      this.#forget(key, rollout);
    };
    const rollout = new RunningRollout({ ...about, onSettled }, outcomes);
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
    await Promise.allSettled([...this.#running].map((rollout) => rollout.outcomes));
  }
}
