import type { Fleet } from '../fleet.ts';
import type { Outcomes } from '../outcomes.ts';
import { Slots } from '../slots.ts';
import { bake } from './bake.ts';
import { isEnd } from './course.ts';
import { courseOutcomes } from './course-outcomes.ts';
import { HostPart } from './host-part.ts';
import { pauseAfter } from './pause-after.ts';
import type { Rollout } from './rollout.ts';
import { planVersion } from './rollout-plan.ts';
import { planWaves, type Wave } from './strategy.ts';
import type { Verdict } from './verdict.ts';
import { activeOf, verdictOf, type Work } from './work.ts';

/**
 * Carries a rollout out, from wherever its log has it: stages on all hosts, then activates wave by wave, and ends, or goes back,
 * as its strategy says.
 * @returns what each host came to.
 * @throws what `stop.suspended` was aborted with: it is not at its end.
 */
export async function carryOut(fleet: Fleet, rollout: Rollout): Promise<Outcomes<unknown>> {
  const startedAtMs = performance.now();
  const { plan, log, takenUp } = rollout;
  const fields = fieldsOf(rollout);
  fleet.log.info(
    { ...fields, version: planVersion(plan), hosts: plan.hosts.length },
    takenUp ? 'rollout taken up again' : 'rollout started',
  );
  const work = workOf(fleet, rollout);
  // Its controller may have died between its last event and the word that it has ended.
  if (!isEnd(log.course.state)) {
    if (takenUp) await Promise.all(work.parts.map((part) => part.recall()));
    if (takenUp?.mayBegin === false) await close(work);
    else await run(work);
  }
  const outcomes = courseOutcomes(log.course);
  await finish(work);
  const seconds = (performance.now() - startedAtMs) / 1000;
  fleet.metrics.rolloutFinished({ operation: plan.operation, state: log.course.state, seconds });
  const failed = [...outcomes.values()].filter(({ ok }) => !ok).length;
  fleet.log.info({ ...fields, seconds, failed, state: log.course.state }, 'rollout finished');
  return outcomes;
}

async function run(work: Work): Promise<void> {
  const { log, stop } = work.rollout;
  if (log.course.state === 'queued') await log.decide({ kind: 'rollout', state: 'staging', waves: work.waves.length });
  stop.suspended.throwIfAborted();
  await stageAll(work);
  for (let index = log.course.wave; index < work.waves.length && verdictOf(work).kind === 'go_on'; index += 1) {
    await runWave(work, index);
  }
  await conclude(work, verdictOf(work));
}

/** All at once; what was told to activate before a restart does so meanwhile. */
async function stageAll({ rollout, parts }: Work): Promise<void> {
  if (rollout.log.course.state === 'going_back') return;
  await Promise.all(
    parts.map(async (part) => {
      await part.stage();
      if (part.mustActivate) await part.activate(() => true);
    }),
  );
}

/** Activates one wave, sees that it holds, and waits before the next. Goes on in it where it was when the controller died. */
async function runWave(work: Work, index: number): Promise<void> {
  const { log, plan } = work.rollout;
  const { state } = log.course;
  const wave = work.waves[index];
  if (!wave) return;
  const isDone = state === 'paused' && log.course.wave === index;
  if (!isDone) {
    await activateWave(work, wave, index);
    if (plan.strategy.bakeMs > 0) await bake(work, index);
    if (!plan.strategy.atomic) for (const part of activeOf(wave.hosts)) part.succeed();
  }
  if (index < work.waves.length - 1 && verdictOf(work).kind === 'go_on') await pauseAfter(work, index);
}

async function activateWave(work: Work, wave: Wave<HostPart>, index: number): Promise<void> {
  const { log, stop } = work.rollout;
  const isInIt = log.course.wave === index && ['activating', 'baking'].includes(log.course.state);
  if (!isInIt) await log.decide({ kind: 'rollout', state: 'activating', wave: index });
  stop.suspended.throwIfAborted();
  const mayBegin = () => !stop.suspended.aborted && verdictOf(work).kind === 'go_on';
  await Promise.all(wave.hosts.map((part) => part.activate(mayBegin)));
}

/** What has not begun does not begin any more; what has flipped stays, or goes back. */
async function conclude(work: Work, verdict: Verdict): Promise<void> {
  const { rollout, parts } = work;
  if (verdict.kind === 'go_on') {
    for (const part of activeOf(parts)) part.succeed();
    return;
  }
  const { cause } = verdict;
  const toGoBack =
    verdict.kind === 'go_back' ? parts.filter(({ state }) => state === 'active' || state === 'going_back') : [];
  if (toGoBack.length > 0 && rollout.log.course.state !== 'going_back') {
    await rollout.log.decide({ kind: 'rollout', state: 'going_back', reason: cause.cause });
    rollout.stop.suspended.throwIfAborted();
  }
  const notBegun = parts.filter(({ state }) => !isEnd(state) && state !== 'active' && state !== 'going_back');
  await Promise.all([...notBegun.map((part) => part.skip(cause)), ...toGoBack.map((part) => part.goBack({ cause }))]);
  for (const part of activeOf(parts)) part.succeed();
}

/** One that is too old to go on with: what was told to flip takes its course, the rest is cancelled. */
async function close({ rollout, parts }: Work): Promise<void> {
  const nobody = { cause: 'cancelled' as const, failed: 0, allowed: 0 };
  await Promise.all(
    parts.map(async (part) => {
      if (part.mustActivate) {
        await part.stage();
        await part.activate(() => true);
      }
      if (part.state === 'active' || part.state === 'going_back') return;
      await part.skip(nobody);
    }),
  );
  for (const part of activeOf(parts)) part.succeed();
  await Promise.all(parts.filter(({ state }) => state === 'going_back').map((part) => part.goBack({ cause: nobody })));
  rollout.stop.suspended.throwIfAborted();
}

async function finish({ rollout }: Work): Promise<void> {
  const { log } = rollout;
  if (isEnd(log.course.state)) return;
  const isDone = [...log.course.hosts.values()].every(({ state }) => state === 'succeeded');
  const state = isDone ? 'succeeded' : log.course.isCancelled ? 'cancelled' : 'failed';
  await log.decide({ kind: 'rollout', state });
}

function workOf(fleet: Fleet, rollout: Rollout): Work {
  const { limits } = fleet;
  const places = { slots: new Slots(limits.maxParallel), restartSlots: new Slots(limits.restartParallel) };
  const parts = rollout.plan.hosts.map((host) => new HostPart(host, rollout, { fleet, places }));
  return { rollout, parts, waves: planWaves(parts, rollout.plan.strategy) };
}

function fieldsOf({ operationId, plan }: Rollout) {
  const { projectName: project, linkName: link } = plan.target;
  return { operationId, operation: plan.operation, project, link };
}
