import { randomUUIDv7 } from 'node:crypto';
import { DeployError } from '@sampan/shared/errors.ts';
import { abortable } from '../abortable.ts';
import type { Fleet } from '../fleet.ts';
import type { Outcomes } from '../outcomes.ts';
import { runRollout } from './rollout.ts';
import { planKey, type RolloutPlan } from './rollout-plan.ts';

/** A rollout that runs, and what it will come to. */
export interface RunningRollout {
  operationId: string;
  outcomes: Promise<Outcomes<unknown>>;
}

/** The rollouts that run in this process. They belong to nobody: a caller that goes away changes nothing. */
export class Rollouts {
  readonly #fleet: Fleet;
  readonly #running = new Map<string, RunningRollout>();
  readonly #cancelled = new AbortController();
  readonly #abandoned = new AbortController();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  get count(): number {
    return this.#running.size;
  }

  /** Starts a rollout, or joins the one that runs the same plan. */
  start(plan: RolloutPlan): RunningRollout {
    const key = planKey(plan);
    const running = this.#running.get(key);
    if (running) {
      this.#fleet.log.info({ operationId: running.operationId }, 'the same request again: joined');
      return running;
    }
    const operationId = randomUUIDv7();
    const stop = { cancelled: this.#cancelled.signal, abandoned: this.#abandoned.signal };
    const outcomes = runRollout(this.#fleet, { operationId, plan, stop }).finally(() => this.#running.delete(key));
    const started = { operationId, outcomes };
    this.#running.set(key, started);
    return started;
  }

  /**
   * Resolves when nothing runs any more. What runs has `graceMs` to finish; then whatever has not flipped is cancelled, and the
   * rest has `graceMs` once more; then hosts that still are not done are given up as 状态未知.
   */
  async drain(graceMs: number): Promise<void> {
    const reason = new DeployError('OPERATION_CANCELLED', {});
    if (await this.#idleWithin(graceMs)) return;
    this.#fleet.log.warn({ rollouts: this.count }, 'cancelling what has not flipped yet');
    this.#cancelled.abort(reason);
    if (await this.#idleWithin(graceMs)) return;
    this.#fleet.log.error({ rollouts: this.count }, 'giving up on what has not answered');
    this.#abandoned.abort(reason);
    await this.#idle();
  }

  async #idleWithin(ms: number): Promise<boolean> {
    const timeout = AbortSignal.timeout(ms);
    await abortable(this.#idle(), timeout).catch(() => undefined);
    return this.count === 0;
  }

  async #idle(): Promise<void> {
    await Promise.all([...this.#running.values()].map((rollout) => rollout.outcomes));
  }
}
