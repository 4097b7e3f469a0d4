import { asDeployError, DeployError } from '@sampan/shared/errors.ts';
import type { Logger } from '@sampan/shared/logger.ts';
import { fromWire, toWire } from '@sampan/shared/wire-error.ts';
import { ClockWatch } from '../host/clock-watch.ts';
import type { Metrics } from '../metrics.ts';
import type { Target } from '../releases/layout.ts';
import { type Journal, lastSequence } from './journal.ts';
import type {
  ActivateOutcome,
  Activation,
  Fence,
  JournalRecord,
  Outcome,
  Phase,
  StageOutcome,
} from './journal-record.ts';
import { forgettable } from './last-flips.ts';
import type { OperationContext } from './operation-context.ts';
import { OperationRun } from './operation-run.ts';

/** Outcomes are kept for callers that ask again; the oldest go, many at a time, but for what a link was flipped by last. */
const KEPT_OPERATIONS = 1000;
const FORGET_AT_ONCE = 100;

/** One phase that is to run. */
export interface Order {
  operationId: string;
  phase: Phase;
  /** SHA-256 of the request: the same id with another request is a mistake of the caller. */
  request: string;
  target: Target;
  /** Reads what the link names, once the link is held. */
  oldTarget: () => Promise<string | null>;
  /** The version that is to become current, for whoever reads the journal. */
  brings: string;
  /** Done once the link is held, before anything is written down. */
  prepare?: () => Promise<void>;
  /** Of an Activate: all that is needed to go on with it after a crash. */
  activation?: Activation;
  fence?: Fence | undefined;
  deadlineMs: number;
}

type Succeeded = { kind: 'staged'; result: StageOutcome } | { kind: 'activated'; result: ActivateOutcome };

/** What the journal and memory know of one operation. */
export interface KnownOperation {
  records: JournalRecord[];
  running: OperationRun | undefined;
}

/** All operations of this agent: those that run, and the outcomes that the journal keeps. */
export class Operations {
  readonly #journal: Journal;
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #known = new Map<string, KnownOperation>();
  readonly #runs = new Set<Promise<void>>();
  #draining = false;
  #forgetting = false;
  #sequence = 0;
  readonly clock: ClockWatch;
  /** Called, and waited for, before operations are forgotten: what must outlive them is kept elsewhere then. */
  beforeForgetting: () => Promise<void> = async () => undefined;

  private constructor(
    known: readonly { operationId: string; records: JournalRecord[] }[],
    { journal, log, metrics }: { journal: Journal; log: Logger; metrics: Metrics },
  ) {
    this.#journal = journal;
    this.#log = log;
    this.#metrics = metrics;
    for (const { operationId, records } of known) {
      this.#known.set(operationId, { records, running: undefined });
      this.#sequence = Math.max(this.#sequence, lastSequence(records));
    }
    const written = known.flatMap(({ records }) => records.map(({ at }) => Date.parse(at)));
    this.clock = new ClockWatch(log, written.length === 0 ? undefined : written.reduce((a, b) => Math.max(a, b)));
  }

  /** Reads what the journal keeps. Phases that were open when the agent died are marked interrupted, durable. */
  static async open(journal: Journal, tools: { log: Logger; metrics: Metrics }): Promise<Operations> {
    const known = await journal.readAll();
    for (const { operationId, records } of known) {
      for (const phase of openPhases(records)) {
        const mark: JournalRecord = { event: 'interrupted', at: new Date().toISOString(), phase };
        await journal.append(operationId, mark);
        records.push(mark);
        tools.log.warn({ operationId, phase }, 'operation was interrupted');
      }
    }
    return new Operations(known, { journal, ...tools });
  }

  get runningCount(): number {
    return this.#runs.size;
  }

  find(operationId: string): KnownOperation | undefined {
    return this.#known.get(operationId);
  }

  /** Whether nothing has been forgotten yet: of what it does not know then, this journal has never heard. */
  get isComplete(): boolean {
    return this.#known.size < KEPT_OPERATIONS;
  }

  /** Every operation known; those first whose last attempt began first. */
  all(): ReadonlyMap<string, KnownOperation> {
    return this.#known;
  }

  /**
   * Starts a phase, joins it while it runs, or gives the outcome that it reached. An interrupted phase gets one more attempt.
   * `begin` is called only when it starts; what it throws refuses the order and leaves no trace. It returns how to undo it,
   * for an operation that ends before its work has begun: the work itself undoes it otherwise.
   */
  async start(
    order: Order,
    begin: () => (() => void) | undefined,
    work: (context: OperationContext) => Promise<Succeeded>,
  ): Promise<OperationRun> {
    const known = this.#known.get(order.operationId) ?? { records: [], running: undefined };
    assertSameRequest(order, known.records);
    if (known.running?.phase === order.phase) return known.running;
    // A controller that takes a rollout up again asks for its Stage while its Activate runs.
    const outcome = outcomeOf(known.records, order.phase);
    if (outcome) return this.#replay(order, outcome);
    if (known.running) throw onePhaseAtATime(order, known.running);
    if (this.#draining) throw new DeployError('AGENT_DRAINING', {});
    const undo = begin();
    this.clock.look();
    // Again, it is the newest.
    this.#known.delete(order.operationId);
    this.#known.set(order.operationId, known);
    const run = new OperationRun({ ...order, records: known.records }, this.#tools());
    known.running = run;
    const done = this.#carryOut(order, run, { work, undo }).finally(() => this.#runs.delete(done));
    this.#runs.add(done);
    return run;
  }

  /**
   * Ends an operation before its flip: what runs, or what is staged and waits. An Activate that comes later is refused.
   * @throws OPERATION_UNKNOWN for an id that the journal does not know.
   */
  async cancel(operationId: string): Promise<'cancelled' | 'too_late' | 'finished'> {
    const known = this.#known.get(operationId);
    if (!known) throw new DeployError('OPERATION_UNKNOWN', { operationId });
    const cancelled = new DeployError('OPERATION_CANCELLED', {});
    const { running } = known;
    if (running?.isConcluding) {
      await running.ended();
      return this.cancel(operationId);
    }
    if (running) return running.cancel(cancelled) ? 'cancelled' : 'too_late';
    const waits = outcomeOf(known.records, 'stage')?.kind === 'staged' && !outcomeOf(known.records, 'activate');
    if (!waits) return 'finished';
    await this.#close(operationId, known, cancelled);
    return 'cancelled';
  }

  /**
   * Ends the activation of an operation that does not run, without doing anything: it is neither resumed nor tried again.
   * From the first moment on, an Activate that comes joins this end.
   */
  async close(operationId: string, reason: DeployError): Promise<void> {
    const known = this.#known.get(operationId);
    if (known && !known.running && !outcomeOf(known.records, 'activate')) await this.#close(operationId, known, reason);
  }

  async #close(operationId: string, known: KnownOperation, reason: DeployError): Promise<void> {
    const run = new OperationRun({ operationId, phase: 'activate', records: known.records }, this.#tools());
    const outcome: Outcome = { kind: 'failed', error: toWire(reason) };
    known.running = run;
    run.conclude();
    try {
      await run.record({ event: 'finished', outcome });
    } finally {
      known.running = undefined;
      run.finish(outcome);
    }
  }

  /** Takes nothing new, ends what has not flipped, and waits for the rest. */
  async drain(): Promise<void> {
    this.#draining = true;
    for (const { running } of this.#known.values()) running?.cancel(new DeployError('AGENT_DRAINING', {}));
    await Promise.all(this.#runs);
  }

  #tools(): ConstructorParameters<typeof OperationRun>[1] {
    const observe = (step: string, seconds: number) => this.#metrics.stepSeconds.observe({ step }, seconds);
    return { journal: this.#journal, observe };
  }

  #replay(order: Order, outcome: Outcome): OperationRun {
    const run = new OperationRun({ ...order, records: [] }, this.#tools());
    run.finish(outcome);
    return run;
  }

  async #carryOut(
    order: Order,
    run: OperationRun,
    { work, undo }: { work: (context: OperationContext) => Promise<Succeeded>; undo: (() => void) | undefined },
  ): Promise<void> {
    const { operationId, phase, deadlineMs } = order;
    const seconds = deadlineMs / 1000;
    const timer = setTimeout(() => run.expire(new DeployError('DEADLINE_EXCEEDED', { seconds })), deadlineMs);
    const log = this.#log.child({ operationId, phase });
    let outcome: Outcome;
    let hasBegun = false;
    try {
      await order.prepare?.();
      const { request, target, brings, activation, fence } = order;
      const attempt = 1 + run.history.filter((record) => record.event === 'started' && record.phase === phase).length;
      const oldTarget = await order.oldTarget();
      this.#sequence += 1;
      const sequence = this.#sequence;
      await run.record({ event: 'started', attempt, sequence, request, target, oldTarget, brings, activation, fence });
      log.info({ target, brings, attempt }, 'operation started');
      run.signal.throwIfAborted();
      hasBegun = true;
      outcome = await work(run);
    } catch (error) {
      if (!hasBegun) undo?.();
      const failure = asDeployError(run.signal.aborted && !DeployError.is(error) ? run.signal.reason : error);
      log.warn({ err: failure, cause: failure.cause }, 'operation failed');
      outcome = { kind: 'failed', error: toWire(failure) };
    } finally {
      clearTimeout(timer);
    }
    await this.#conclude(run, outcome, log);
  }

  /** The outcome is durable before anybody is told of it. Past the flip one that cannot be written down is told as unknown. */
  async #conclude(run: OperationRun, outcome: Outcome, log: Logger): Promise<void> {
    run.conclude();
    // Stopped by us before its flip, it is as if we had crashed: the same id is tried again by whoever comes next.
    const stopped = !run.flipDecided && DeployError.is(run.signal.reason, 'AGENT_DRAINING');
    const told = await run.record(stopped ? { event: 'interrupted' } : { event: 'finished', outcome }).then(
      () => outcome,
      (error: unknown) => {
        log.error({ err: error }, 'the outcome could not be written to the journal');
        return run.flipDecided ? unknownOutcome(outcome, error) : outcome;
      },
    );
    this.#metrics.operations.inc({ phase: run.phase, code: told.kind === 'failed' ? told.error.code : 'ok' });
    const known = this.#known.get(run.operationId);
    if (known) known.running = undefined;
    run.finish(told);
    log.info({ outcome: told.kind }, 'operation finished');
    await this.#forgetOld(log);
  }

  /** Housekeeping: what goes wrong in it is nobody's outcome. */
  async #forgetOld(log: Logger): Promise<void> {
    if (this.#forgetting || this.#known.size <= KEPT_OPERATIONS + FORGET_AT_ONCE) return;
    this.#forgetting = true;
    try {
      await this.beforeForgetting();
      const excess = Math.max(0, this.#known.size - KEPT_OPERATIONS);
      for (const operationId of forgettable(this.#known).slice(0, excess)) {
        this.#known.delete(operationId);
        await this.#journal.forget(operationId);
      }
    } catch (error) {
      log.error({ err: error }, 'old operations could not be forgotten');
    } finally {
      this.#forgetting = false;
    }
  }
}

function onePhaseAtATime(order: Order, running: OperationRun): DeployError {
  const found = `${order.phase} while ${running.phase} runs`;
  return new DeployError('INVALID_REQUEST', { field: 'operation_id', found, expected: 'one phase at a time' });
}

function unknownOutcome(outcome: Outcome, error: unknown): Outcome {
  const reached = outcome.kind === 'failed' ? outcome.error.code : outcome.kind;
  const unknown = new DeployError('STATE_UNKNOWN', { known: `${reached}, journal: ${asDeployError(error).code}` });
  return { kind: 'failed', error: toWire(unknown) };
}

/** The outcome that a phase reached, if it did. */
export function outcomeOf(records: readonly JournalRecord[], phase: Phase): Outcome | undefined {
  const finished = records.findLast((record) => record.event === 'finished' && record.phase === phase);
  return finished?.event === 'finished' ? finished.outcome : undefined;
}

/** The error that a failed outcome stands for. */
export function errorOf(outcome: Extract<Outcome, { kind: 'failed' }>): DeployError {
  return fromWire(outcome.error);
}

function openPhases(records: readonly JournalRecord[]): Phase[] {
  return (['stage', 'activate'] as const).filter((phase) => {
    const last = records.findLast((record) => record.phase === phase);
    return last !== undefined && last.event !== 'finished' && last.event !== 'interrupted';
  });
}

function assertSameRequest(order: Order, records: readonly JournalRecord[]): void {
  const started = records.find((record) => record.event === 'started' && record.phase === order.phase);
  if (started?.event !== 'started' || started.request === order.request) return;
  const found = `${order.operationId} for another request`;
  throw new DeployError('INVALID_REQUEST', { field: 'operation_id', found, expected: 'a new id' });
}
