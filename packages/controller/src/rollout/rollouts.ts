import { DeployError } from '@sampan/shared/errors.ts';
import { abortable } from '../abortable.ts';
import { auditRow } from '../auth/audit.ts';
import type { Fleet } from '../fleet.ts';
import { type Locked, type OnHeld, type RecordedRollout, SameRollout } from '../store/recorded-rollout.ts';
import type { RolloutRecords } from '../store/rollout-records.ts';
import { Caretaker } from './caretaker.ts';
import { type Course, isEnd, type RolloutRequest, type RolloutState } from './course.ts';
import { judgeLeftBehind, owedSince } from './left-behind.ts';
import { lockOrder } from './lock-order.ts';
import { begunEntry, type Requester } from './rollout-audit.ts';
import { planKey, type RolloutPlan } from './rollout-plan.ts';
import { RolloutRunner } from './rollout-runner.ts';
import { RunningRollout } from './running-rollout.ts';
import { settledUnheard } from './settled-unheard.ts';
import { recordOf } from './stored-rollout.ts';
import { untilDone } from './until-done.ts';

/** How a rollout is begun. `idempotencyKey` is unique among all that are remembered. */
export interface Beginning {
  onHeld: OnHeld;
  idempotencyKey: string | undefined;
  /** Not while one of the same plan runs, or has ended unheard: then `begun` rejects with SameRollout. */
  unlessSame?: boolean;
}

/**
 * The rollouts of this controller. They belong to no caller: one that goes away changes nothing.
 *
 * INVARIANTS: a rollout is written down before any agent hears of it; of equal plans that callers wait for at most one runs, on
 * whichever controller; an outcome that was told, or that a later rollout of the same link has overtaken, is told to nobody who comes
 * afterwards.
 */
export class Rollouts {
  readonly #fleet: Fleet;
  readonly #records: RolloutRecords;
  readonly #runner: RolloutRunner;
  readonly #caretaker: Caretaker;
  /** What other controllers carry out, and somebody here waits for. */
  readonly #following = new Map<string, RunningRollout>();

  /** To requests of other controllers, by their ids: what was done once would be refused the second time. */
  readonly #unwrittenAnswers = new Map<string, { operationId: string; answer: RolloutState | 'OK' }>();

  constructor(fleet: Fleet, records: RolloutRecords) {
    this.#fleet = fleet;
    this.#records = records;
    this.#runner = new RolloutRunner(fleet, records);
    this.#caretaker = new Caretaker(records, fleet.log, {
      carryOn: (operationId) => this.#carryOn(operationId),
      seeToRequests: (signal) => this.#seeToRequests(signal),
    });
  }

  get count(): number {
    return this.#runner.running.size;
  }

  /** How many run in each state. */
  states(): Record<string, number> {
    return this.#runner.states();
  }

  /** Those that run here. */
  running(): ReadonlyMap<string, RunningRollout> {
    return this.#runner.running;
  }

  /** Carries on what controllers that have died left unfinished, from now on. Until this is called, nothing of it is sent. */
  takeUp(): void {
    this.#caretaker.start();
  }

  /**
   * Starts a rollout that `by` asked for, or joins the one of the same plan: that runs here or on another controller, or whose end
   * nobody was told because its controller died. The caller is to `leave` it once it is told, or gone. Hosts whose link somebody else
   * holds fail, unless the plan waits for them.
   */
  async start(plan: RolloutPlan, by: Requester, idempotencyKey?: string): Promise<RunningRollout> {
    const onHeld = plan.queue ? 'wait' : 'fail_hosts';
    if (idempotencyKey !== undefined) return this.begin(plan, by, { onHeld, idempotencyKey }).join();
    const key = planKey(plan);
    const known = this.#runner.joinable.get(key) ?? (await this.#unheard(plan)) ?? this.#runner.joinable.get(key);
    if (known) {
      const { operationId, hasEnded } = known;
      this.#fleet.log.info({ operationId, hasEnded }, 'the same request again: joined');
    }
    const unlessSame = true;
    const rollout = (known ?? this.begin(plan, by, { onHeld, idempotencyKey, unlessSame })).join();
    const same = await sameOf(rollout);
    if (same === undefined) return rollout;
    const { operationId: instead } = rollout;
    this.#fleet.log.info({ operationId: same, instead }, 'another controller was first with the same request');
    return this.#followed(same, plan).join();
  }

  /** One that was begun before, for who asks again with its Idempotency-Key. */
  again({ operationId }: RecordedRollout, plan: RolloutPlan): RunningRollout {
    return (this.#runner.running.get(operationId) ?? this.#followed(operationId, plan)).join();
  }

  /** See `RolloutRunner`. */
  async request(operationId: string, request: RolloutRequest, who: string): Promise<RolloutState | 'OK' | undefined> {
    return await this.#runner.request(operationId, request, who);
  }

  /** Starts one, whatever else runs. Nobody waits for it. */
  begin(plan: RolloutPlan, by: Requester, { onHeld, idempotencyKey, unlessSame = false }: Beginning): RunningRollout {
    const operationId = this.#records.clock.newId();
    const record = { ...recordOf(operationId, plan), requestedBy: by.who, idempotencyKey: idempotencyKey ?? null };
    const locked = this.#records.begin(record, {
      audit: auditRow(begunEntry(operationId, plan, by)),
      locks: { order: lockOrder(operationId, plan), onHeld },
      ...(unlessSame ? { unlessSameSince: owedSince(this.#records.clock.nowMs()) } : {}),
    });
    return this.#runner.run({ key: planKey(plan), operationId, plan, locked });
  }

  /** As the runner's. Nothing is taken over any more. */
  async drain(patience: { finishMs: number; cancelMs: number }): Promise<void> {
    this.#caretaker.takeNoMore();
    await this.#runner.drain(patience);
    await this.#caretaker.stop();
  }

  async #carryOn(operationId: string): Promise<void> {
    const left = await this.#records.find({ operationId });
    if (!left || left.endedAtMs !== undefined) return;
    const changes = await this.#records.events.changes(operationId);
    const last = await this.#records.events.last(operationId);
    const hostTimeoutMs = this.#fleet.limits.timeoutMs;
    const found = judgeLeftBehind({
      left,
      changes,
      lastEventAt: last?.at,
      nowMs: this.#records.clock.nowMs(),
      hostTimeoutMs,
    });
    if (found.kind === 'unreadable') {
      const { cause: err } = found;
      this.#fleet.log.error({ operationId, err }, 'the record of a rollout cannot be read, so it is dropped');
      this.#records.answered(operationId);
      await this.#records.ended(operationId, { outcome: 'failed', details: { unreadable: true } });
      return;
    }
    const { plan, course, takenUp } = found;
    // One that is only to be closed keeps nobody from asking for the same anew.
    if (!takenUp.mayBegin) this.#records.answered(operationId);
    const key = takenUp.mayBegin ? left.planKey : operationId;
    const locked = this.#lockAgain(operationId, plan, course);
    this.#runner.run({ key, operationId, plan, locked, takenUp: { course, lastSeq: last?.seq ?? 0, by: takenUp } });
  }

  /** While the database takes no lock, it is waited for. */
  async #lockAgain(operationId: string, plan: RolloutPlan, course: Course): Promise<Locked> {
    if (course.state === 'queued' && plan.queue) return { fence: undefined, held: new Map() };
    const open = plan.hosts.filter(({ name }) => !isEnd(course.hosts.get(name)?.state ?? 'waiting'));
    const order = lockOrder(operationId, { ...plan, hosts: open });
    const stop = AbortSignal.any([this.#runner.leaving, this.#records.ownership.lost(operationId)]);
    return await untilDone(() => this.#records.lockAgain(order), { log: this.#fleet.log, operationId }, stop);
  }

  async #seeToRequests(signal: AbortSignal): Promise<void> {
    const unwritten = [...this.#unwrittenAnswers.values()].map(({ operationId }) => operationId);
    const own = new Set([...this.#runner.running.keys(), ...unwritten]);
    const open = await this.#records.requests.open([...own]);
    // Written down all the same, though that was not heard; or by whoever has the rollout by now.
    for (const id of this.#unwrittenAnswers.keys()) {
      if (!open.some((asked) => asked.id === id)) this.#unwrittenAnswers.delete(id);
    }
    for (const asked of open) {
      const { id, operationId, request, who } = asked;
      const answer =
        this.#unwrittenAnswers.get(id)?.answer ??
        (await abortable(this.request(operationId, request as RolloutRequest, who), signal));
      if (answer === undefined) continue;
      this.#unwrittenAnswers.set(id, { operationId, answer });
      await this.#records.requests.answered(asked, answer);
      this.#unwrittenAnswers.delete(id);
    }
  }

  /** One of the same plan that another controller carries out, or that has ended and was told to nobody. */
  async #unheard(plan: RolloutPlan): Promise<RunningRollout | undefined> {
    const about = { planKey: planKey(plan), linkName: plan.target.linkName };
    try {
      const id = await settledUnheard(this.#records, about);
      return id === undefined ? undefined : (this.#runner.running.get(id) ?? this.#followed(id, plan));
    } catch {
      // Where nothing can be read, nothing is begun either, and whoever asks is told so.
      return undefined;
    }
  }

  /** What another controller carries out: followed once, whoever waits for it here, and as long as somebody does. */
  #followed(operationId: string, plan: RolloutPlan): RunningRollout {
    const known = this.#following.get(operationId);
    if (known) return known;
    this.#fleet.log.info({ operationId }, 'another controller carries it out: followed');
    const left = new AbortController();
    const outcomes = this.#runner.follow(operationId, plan, left.signal);
    const forget = () => {
      if (this.#following.get(operationId) === rollout) this.#following.delete(operationId);
    };
    const onLeft = () => {
      forget();
      left.abort(new DeployError('OPERATION_CANCELLED', {}));
    };
    const onSettled = () => this.#records.answered(operationId);
    const rollout = new RunningRollout({ operationId, isOwed: true, onSettled, onLeft }, outcomes);
    this.#following.set(operationId, rollout);
    outcomes.then(forget, forget);
    return rollout;
  }
}

/** The rollout that runs already instead of one that was to be begun. */
async function sameOf({ inProgress }: RunningRollout): Promise<string | undefined> {
  try {
    await inProgress?.begun;
    return undefined;
  } catch (error) {
    // Whatever else it is, the outcomes tell.
    return error instanceof SameRollout ? error.operationId : undefined;
  }
}
