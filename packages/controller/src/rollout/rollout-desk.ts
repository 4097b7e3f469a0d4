import { createHash } from 'node:crypto';
import { DeployError } from '@sampan/shared/errors.ts';
import { Audit } from '../auth/audit.ts';
import type { Outcomes } from '../outcomes.ts';
import type { RecordedRollout, RolloutFilters } from '../store/recorded-rollout.ts';
import type { RolloutRecords } from '../store/rollout-records.ts';
import type { OpenRequest } from '../store/rollout-request-records.ts';
import type { Store } from '../store/store.ts';
import { type Course, isEnd, type RolloutRequest, type RolloutState } from './course.ts';
import { recordedCourse } from './recorded-course.ts';
import type { Requester } from './rollout-audit.ts';
import { planKey, planVersion, type RolloutPlan, type Target } from './rollout-plan.ts';
import type { Rollouts } from './rollouts.ts';
import type { RunningRollout } from './running-rollout.ts';
import { outcomesOf, planOf, wholeUrlOf } from './stored-rollout.ts';

/** Longer than it takes another controller to take a rollout over. */
const NOTED_WITHIN_MS = 12_000;
/** So many rollouts back is looked for what was asked. */
const LOOKED_THROUGH = 200;

/** A rollout of any time, as it is shown. Times in milliseconds since the epoch. */
export interface ShownRollout {
  id: string;
  plan: RolloutPlan;
  requestedBy: string;
  startedAtMs: number;
  endedAtMs: number | undefined;
  course: Course;
}

/** What was asked of a rollout of another controller, and what was the last event before. */
interface AskedOfOther extends OpenRequest {
  seqBefore: number;
}

/** Whoever calls about rollouts comes here: to begin them, to look at them, and to have them stopped or tried again. */
export class RolloutDesk {
  readonly #rollouts: Rollouts;
  readonly #records: RolloutRecords;
  readonly #audit: Audit;

  constructor(rollouts: Rollouts, { rollouts: records, db }: Pick<Store, 'rollouts' | 'db'>) {
    this.#rollouts = rollouts;
    this.#records = records;
    this.#audit = new Audit(db);
  }

  /**
   * Begins a rollout, or finds the one that the same Idempotency-Key began. Resolves with its id once it is written down.
   * @throws DeployError LINK_HELD where it is not to wait, IDEMPOTENCY_MISMATCH, STORE_UNWRITABLE.
   */
  async submit(plan: RolloutPlan, by: Requester, key?: string): Promise<{ id: string; isNew: boolean }> {
    const idempotencyKey = keyOf(by, key);
    const known = await this.#keyed(plan, idempotencyKey);
    if (known) return { id: known.operationId, isNew: false };
    const onHeld = plan.queue ? 'wait' : 'refuse';
    const rollout = this.#rollouts.begin(plan, by, { onHeld, idempotencyKey });
    const first = await this.#firstOf(plan, rollout, idempotencyKey);
    if (first) return { id: first.operationId, isNew: false };
    await rollout.inProgress?.begun;
    return { id: rollout.operationId, isNew: true };
  }

  /** The same for a caller who waits for the outcome: one that ran before tells what it came to. */
  async start(plan: RolloutPlan, by: Requester, key?: string): Promise<RunningRollout> {
    const idempotencyKey = keyOf(by, key);
    const known = await this.#keyed(plan, idempotencyKey);
    if (known) return this.#rollouts.again(known, plan);
    const rollout = await this.#rollouts.start(plan, by, idempotencyKey);
    const first = await this.#firstOf(plan, rollout, idempotencyKey);
    if (!first) return rollout;
    rollout.leave({ wasTold: false });
    return this.#rollouts.again(first, plan);
  }

  /** @throws DeployError ROLLOUT_NOT_FOUND */
  async find(id: string): Promise<ShownRollout> {
    return await this.#shown(await this.#record(id));
  }

  /** Newest first. What cannot be read is left out. */
  async list(filters: RolloutFilters): Promise<ShownRollout[]> {
    const shown = await Promise.all(
      (await this.#records.list(filters)).map((record) => this.#shown(record).catch(() => undefined)),
    );
    return shown.filter((one) => one !== undefined);
  }

  /**
   * Asks a rollout that runs, on whichever controller, to end, to pause before its next wave, or to go on. Resolves once that is written
   * down, and its controller has taken note; of one that does not within some seconds, whoever takes the rollout over will.
   * @throws DeployError ROLLOUT_NOT_FOUND, ROLLOUT_STATE
   */
  async request(id: string, request: RolloutRequest, by: Requester): Promise<void> {
    const { course, plan } = await this.find(id);
    if (isEnd(course.state)) throw new DeployError('ROLLOUT_STATE', { state: course.state, request });
    const answer = (await this.#rollouts.request(id, request, by.who)) ?? (await this.#ask(id, request, by));
    if (answer !== 'OK') throw new DeployError('ROLLOUT_STATE', { state: answer, request });
    await this.#audit.append({
      ...by,
      action: `rollout ${request}`,
      project: plan.target.projectName,
      outcome: 'OK',
      operationId: id,
    });
  }

  /**
   * Begins another rollout of the same, on the hosts where this one did not succeed. `fileUrl` is needed where the URL held a secret,
   * which was forgotten at the end.
   * @throws DeployError ROLLOUT_NOT_FOUND, ROLLOUT_STATE, INVALID_REQUEST, and as `submit` does.
   */
  async retry(id: string, by: Requester, fileUrl: string | undefined): Promise<{ id: string; hosts: number }> {
    const record = await this.#record(id);
    const { course, plan } = await this.#shown(record);
    if (!isEnd(course.state)) throw new DeployError('ROLLOUT_STATE', { state: course.state, request: 'retry' });
    const hosts = plan.hosts.filter(({ name }) => course.hosts.get(name)?.state !== 'succeeded');
    if (hosts.length === 0) throw new DeployError('ROLLOUT_STATE', { state: course.state, request: 'retry' });
    const again = { ...plan, hosts };
    if (again.operation === 'deploy') again.fileUrl = fileUrl ?? wholeUrlOf(record) ?? missingUrl();
    return { id: (await this.submit(again, by)).id, hosts: hosts.length };
  }

  /** What was last asked for on each host of a link, by the host as it was written. */
  async lastAsked({
    projectName,
    linkName,
    deployDir,
  }: Target): Promise<Map<string, { version: string; rollout: string }>> {
    const asked = new Map<string, { version: string; rollout: string }>();
    for (const { rollout, plan } of await this.#lastPlans({ projectName, linkName })) {
      if (plan.target.deployDir !== deployDir) continue;
      for (const { name } of plan.hosts) if (!asked.has(name)) asked.set(name, { version: planVersion(plan), rollout });
    }
    return asked;
  }

  /** Every host that rollouts have named lately. */
  async namedHosts(): Promise<Set<string>> {
    const recent = await this.#lastPlans({});
    return new Set(recent.flatMap(({ plan }) => plan.hosts.map(({ name }) => name)));
  }

  /** Newest first. What cannot be read is left out. */
  async #lastPlans(filters: Omit<RolloutFilters, 'limit'>): Promise<{ rollout: string; plan: RolloutPlan }[]> {
    const records = await this.#records.plans({ ...filters, limit: LOOKED_THROUGH });
    return records.flatMap((record) => {
      try {
        return [{ rollout: record.operationId, plan: planOf(record) }];
      } catch {
        return [];
      }
    });
  }

  /** The same key twice at one time: one of them was first. Undefined: this one was, or what went wrong is something else. */
  async #firstOf(
    plan: RolloutPlan,
    { inProgress }: RunningRollout,
    idempotencyKey: string | undefined,
  ): Promise<RecordedRollout | undefined> {
    try {
      if (idempotencyKey !== undefined) await inProgress?.begun;
      return undefined;
    } catch (error) {
      if (!DeployError.is(error, 'STORE_UNWRITABLE')) return undefined;
      return await this.#keyed(plan, idempotencyKey).catch(() => undefined);
    }
  }

  /** Leaves it to the controller that carries the rollout out. */
  async #ask(operationId: string, request: RolloutRequest, { who }: Requester): Promise<string> {
    const { requests, changes, events } = this.#records;
    const seqBefore = (await events.last(operationId))?.seq ?? 0;
    const id = await requests.ask({ operationId, request, who });
    const asked = { id, operationId, request, who, seqBefore };
    const follower = changes.follow(operationId);
    const signal = AbortSignal.timeout(NOTED_WITHIN_MS);
    try {
      while (!signal.aborted) {
        const answer = await this.#answerTo(asked);
        if (answer !== undefined) return answer;
        await follower.next(signal).catch(() => undefined);
      }
      // It is written down: whoever carries the rollout out next sees to it.
      return (await this.#answerTo(asked)) ?? 'OK';
    } finally {
      follower.close();
    }
  }

  /** Undefined where there is none yet, or the database cannot be asked. */
  async #answerTo({ id, operationId, request, who, seqBefore }: AskedOfOther): Promise<string | undefined> {
    try {
      const hasEnded = await this.#records.hasEnded(operationId);
      const answer = await this.#records.requests.answer(id);
      if (answer !== undefined || !hasEnded) return answer;
      // It ended before the answer was written down, or before anybody looked.
      const changes = await this.#records.events.changes(operationId);
      const isDone = changes.some(
        (event) => event.seq > seqBefore && event.kind === 'request' && event.request === request && event.by === who,
      );
      return isDone ? 'OK' : (await this.find(operationId)).course.state;
    } catch {
      return undefined;
    }
  }

  async #keyed(plan: RolloutPlan, idempotencyKey: string | undefined): Promise<RecordedRollout | undefined> {
    if (idempotencyKey === undefined) return undefined;
    const known = await this.#records.find({ idempotencyKey });
    if (!known || known.planKey === planKey(plan)) return known;
    throw new DeployError('IDEMPOTENCY_MISMATCH', { id: known.operationId });
  }

  async #record(id: string): Promise<RecordedRollout> {
    const record = await this.#records.find({ operationId: id });
    if (record) return record;
    throw new DeployError('ROLLOUT_NOT_FOUND', { id });
  }

  async #shown(record: RecordedRollout): Promise<ShownRollout> {
    const { operationId: id, requestedBy, startedAtMs, endedAtMs } = record;
    const plan = planOf(record);
    const running = this.#rollouts.running().get(id)?.inProgress;
    const course = running?.log.course ?? (await this.#courseOf(record, plan));
    return { id, plan, requestedBy, startedAtMs, endedAtMs, course };
  }

  async #courseOf(record: RecordedRollout, plan: RolloutPlan): Promise<Course> {
    const course = await recordedCourse(this.#records, record, plan);
    // Versions before wrote no events.
    if (record.endedAtMs !== undefined && !isEnd(course.state)) course.state = endOf(outcomesOf(plan, record.outcomes));
    return course;
  }
}

function endOf(outcomes: Outcomes<unknown>): RolloutState {
  return [...outcomes.values()].every(({ ok }) => ok) ? 'succeeded' : 'failed';
}

/** A key is the caller's own: another who sends the same means something else. */
function keyOf({ who }: Requester, key: string | undefined): string | undefined {
  return key === undefined ? undefined : createHash('sha256').update(`${who}\0${key}`).digest('hex');
}

function missingUrl(): never {
  throw new DeployError('INVALID_REQUEST', {
    field: 'file_url',
    found: '',
    expected: 'the URL again: it held a secret, which was forgotten when the rollout ended',
  });
}
