import { asDeployError, DeployError } from '@sampan/shared/errors.ts';
import type { ActivateResult__Output } from '@sampan/shared/gen/sampan/agent/v1/ActivateResult.ts';
import type { Progress__Output } from '@sampan/shared/gen/sampan/agent/v1/Progress.ts';
import type { Fleet } from '../fleet.ts';
import { outcomeCode } from '../outcomes.ts';
import type { Slots } from '../slots.ts';
import { linkHeld } from '../store/recorded-rollout.ts';
import { cancelAtAgent, cancelOnceBack } from './cancel-at-agent.ts';
import { checkHealth } from './check-health.ts';
import { type HostCourse, type HostState, isEnd } from './course.ts';
import { eventError, failureState } from './event-error.ts';
import { goBackOnHost } from './go-back-on-host.ts';
import { type HostRun, remainingMs } from './host-run.ts';
import { newHostRun } from './new-host-run.ts';
import { ProgressThrottle } from './progress-throttle.ts';
import { recallOperation } from './recall-operation.ts';
import { activateOrLetGo, stageOnHost } from './roll-out-host.ts';
import type { Rollout } from './rollout.ts';
import type { Host } from './rollout-plan.ts';
import { mayGoBack } from './strategy.ts';
import type { StopCause } from './verdict.ts';

/** How many hosts are worked on at one time, and how many of them restart. */
export interface Places {
  slots: Slots;
  restartSlots: Slots;
}

/** The way to the end, in its order: a host that is taken up again is not told to be where it has passed. */
const WAY: readonly HostState[] = ['waiting', 'staging', 'staged', 'activating', 'active', 'going_back'];

/**
 * One host of a rollout, from its first call to its end. Its methods never throw for what goes wrong on the host: that is its
 * end, and in the log.
 * @throws what `stop.suspended` was aborted with.
 */
export class HostPart {
  readonly host: Host;
  readonly #fleet: Fleet;
  readonly #rollout: Rollout;
  readonly #places: Places;
  readonly #run: HostRun;
  #leftMs: number;
  #release = '';

  constructor(host: Host, rollout: Rollout, { fleet, places }: { fleet: Fleet; places: Places }) {
    this.host = host;
    this.#fleet = fleet;
    this.#rollout = rollout;
    this.#places = places;
    this.#leftMs = fleet.limits.timeoutMs;
    const throttle = new ProgressThrottle(rollout.plan.hosts.length);
    const onProgress = (progress: Progress__Output) => {
      if (progress.step === 'sync' && progress.state === 'finished') {
        fleet.metrics.phaseFinished({ phase: 'sync', seconds: progress.elapsedMs / 1000 });
      }
      const event = throttle.pass(host.name, progress);
      if (event && !isEnd(this.state)) rollout.log.add(event);
    };
    this.#run = newHostRun(fleet, rollout, { host, restartSlots: places.restartSlots, onProgress });
  }

  get course(): HostCourse {
    const course = this.#rollout.log.course.hosts.get(this.host.name);
    if (!course) throw new Error(`${this.host.name} is no host of this rollout`);
    return course;
  }

  get state(): HostState {
    return this.course.state;
  }

  /** Whether the agent was told to flip, or may have been: what it does takes its course. */
  get mustActivate(): boolean {
    return this.#run.activateSent && !isEnd(this.state) && this.state !== 'active' && this.state !== 'going_back';
  }

  /** Learns from the agent how far it had come, where that is not known; and has it obey nobody else any more. */
  async recall(): Promise<void> {
    if (isEnd(this.state)) return;
    const { operationId, stop, fence, plan, takenUp } = this.#rollout;
    const { host } = this;
    // Whoever has the link that this one was not given is not to be refused there.
    const isHeld = this.#rollout.held.has(host.address.key);
    const recalled = {
      operationId,
      host,
      target: plan.target,
      fence: isHeld ? null : fence,
      formerFence: takenUp?.fence,
    };
    if (this.state === 'active' || this.state === 'going_back') {
      // One that is away is not waited for: what is to be done there next is.
      const { abandoned } = stop;
      await recallOperation(this.#fleet, { ...recalled, patienceMs: 0 }, abandoned).catch((error: unknown) => {
        // Somebody has deployed something else there: this rollout takes nothing back any more.
        if (DeployError.is(error, 'COMMAND_OUTDATED')) this.fail(error);
      });
      return;
    }
    await this.#attempt(async () => {
      const signal = AbortSignal.any([stop.cancelled, stop.suspended]);
      Object.assign(this.#run, await recallOperation(this.#fleet, recalled, signal));
    });
  }

  /** Makes the release present; for a rollback, sees that the agent is there. */
  async stage(): Promise<void> {
    if (isEnd(this.state) || WAY.indexOf(this.state) > WAY.indexOf('activating')) return;
    const { plan, stop, held, takenUp } = this.#rollout;
    const holder = held.get(this.host.address.key);
    if (holder && !this.#run.activateSent) return this.fail(linkHeld(holder));
    await this.#attempt(async () => {
      if (!takenUp) await this.#fleet.agents.connect(this.host.address, stop.cancelled);
      if (plan.operation === 'deploy') {
        const work = () =>
          this.#timed('stage', async () => (this.#release = (await stageOnHost(this.#run, plan)).release));
        await this.#inPlace(work, 'staging');
      }
      this.#leftMs = remainingMs(this.#run);
      this.#enter('staged');
    });
  }

  /** Makes the release current, unless `mayBegin` says no when its place is free. */
  async activate(mayBegin: () => boolean): Promise<void> {
    if (isEnd(this.state) || WAY.indexOf(this.state) > WAY.indexOf('activating')) return;
    this.#run.deadlineAtMs = performance.now() + this.#leftMs;
    await this.#attempt(async () => {
      const work = async () => {
        if (!this.#run.activateSent && !mayBegin()) return undefined;
        return await activateOrLetGo(this.#run, this.#release, () => this.#begin(mayBegin));
      };
      const result = await this.#timed('activate', () => this.#inPlace(work, undefined));
      if (result) this.#activated(result);
    });
  }

  /** What the agent says of the health of what is current. */
  async checkHealth(): Promise<Awaited<ReturnType<typeof checkHealth>>> {
    return await checkHealth(this.#run);
  }

  /** Makes the release before current again. `own` is what this host failed of; without it, it goes with the others. */
  async goBack(why: { own: DeployError } | { cause: StopCause }): Promise<void> {
    // Whoever carries on knows that the agent may have been told.
    if (this.state !== 'going_back') {
      await this.#rollout.log.decide({ kind: 'host', host: this.host.name, state: 'going_back' });
    }
    const error = 'own' in why ? why.own : new DeployError('WENT_BACK', why.cause);
    const { version, previousRelease } = this.course;
    const back = { previousRelease, current: version, slots: this.#places.slots };
    const outcome = await goBackOnHost(this.#run, back, this.#rollout);
    this.#rollout.stop.suspended.throwIfAborted();
    const told = outcome.aftermath ? error.withAftermath(outcome.aftermath) : outcome.error;
    const wentBack = outcome.aftermath?.reverted === true && !('own' in why);
    this.#end(wentBack ? 'went_back' : failureState(told), told);
  }

  /** Ends it without a flip: what was staged lets go of its link. */
  async skip(cause: StopCause): Promise<void> {
    if (isEnd(this.state)) return;
    await cancelAtAgent(this.#run);
    this.#rollout.stop.suspended.throwIfAborted();
    const error =
      cause.cause === 'cancelled'
        ? new DeployError('OPERATION_CANCELLED', {})
        : new DeployError('ROLLOUT_STOPPED', cause);
    this.#end('skipped', error);
  }

  /** It is done: nothing takes it back any more. */
  succeed(): void {
    this.#end('succeeded', undefined);
  }

  #begin(mayBegin: () => boolean): boolean {
    if (!this.#run.activateSent && !mayBegin()) return false;
    this.#enter('activating');
    return true;
  }

  #activated(result: ActivateResult__Output): void {
    this.#rollout.log.add({
      kind: 'host',
      host: this.host.name,
      state: 'active',
      version: result.version,
      previous_version: result.previousVersion,
      previous_release: result.previousRelease,
    });
    if (!mayGoBack(this.#rollout.plan.strategy)) this.succeed();
  }

  /** At most `maxParallel` at a time; what an agent was told to activate waits for nobody. */
  async #inPlace<T>(work: () => Promise<T>, state: HostState | undefined): Promise<T> {
    const begin = () => {
      if (state !== undefined) {
        this.#run.deadlineAtMs = performance.now() + this.#leftMs;
        this.#enter(state);
      }
      return work();
    };
    if (this.#run.activateSent) return await begin();
    return await this.#places.slots.run(begin, this.#rollout.stop.cancelled);
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    const { stop } = this.#rollout;
    const onCancel = () => void (stop.suspended.aborted || cancelAtAgent(this.#run));
    stop.cancelled.addEventListener('abort', onCancel, { once: true });
    try {
      await work();
      stop.suspended.throwIfAborted();
    } catch (error) {
      stop.suspended.throwIfAborted();
      if (DeployError.is(error, 'AGENT_LOST')) void cancelOnceBack(this.#run);
      this.fail(asDeployError(error));
    } finally {
      stop.cancelled.removeEventListener('abort', onCancel);
    }
  }

  async #timed<T>(phase: 'stage' | 'activate', work: () => Promise<T>): Promise<T> {
    const startedAtMs = performance.now();
    const result = await work();
    if (result !== undefined) {
      this.#fleet.metrics.phaseFinished({ phase, seconds: (performance.now() - startedAtMs) / 1000 });
    }
    return result;
  }

  #enter(state: HostState): void {
    if (WAY.indexOf(state) <= WAY.indexOf(this.state)) return;
    this.#rollout.log.add({ kind: 'host', host: this.host.name, state });
  }

  /** Ends it as failed, or, cancelled before its flip, as skipped. */
  fail(error: DeployError): void {
    const isSkipped = DeployError.is(error, 'OPERATION_CANCELLED') && this.state !== 'active';
    this.#end(isSkipped ? 'skipped' : failureState(error), error);
  }

  #end(state: HostState, error: DeployError | undefined): void {
    const { log, operationId, plan } = this.#rollout;
    const host = this.host.name;
    log.add({ kind: 'host', host, state, ...(error ? { error: eventError(error) } : {}) });
    const outcome = error ? { ok: false as const, error } : { ok: true as const, value: undefined };
    this.#rollout.hostEnded(this.host, outcome);
    this.#fleet.metrics.hostFinished({ operation: plan.operation, code: outcomeCode(outcome) });
    if (error) this.#fleet.log.warn({ operationId, host, code: error.code, err: error }, 'host failed');
    else this.#fleet.log.info({ operationId, host }, 'host finished');
  }
}
