import type { Fleet } from '../fleet.ts';
import { collectOutcomes, type Outcome, type Outcomes, outcomeCode } from '../outcomes.ts';
import { Slots } from '../slots.ts';
import type { Stop } from './host-run.ts';
import { rollOutHost } from './roll-out-host.ts';
import { type Host, holdMs, planVersion, type RolloutPlan } from './rollout-plan.ts';

/** One deploy or rollback over many hosts. Its id is the operation id on every host. */
export interface Rollout {
  operationId: string;
  plan: RolloutPlan;
  stop: Stop;
}

/**
 * Carries a plan out on all its hosts: at most `maxParallel` at a time, and `restartParallel` of these restarting. A host is
 * connected to before it takes its place, so that those which are down hold up nobody. One that fails stops no other.
 * Never throws: every host has its outcome.
 */
export async function runRollout(fleet: Fleet, rollout: Rollout): Promise<Outcomes<unknown>> {
  const { operationId, plan } = rollout;
  const startedAtMs = performance.now();
  const fields = {
    operationId,
    operation: plan.operation,
    project: plan.target.projectName,
    link: plan.target.linkName,
  };
  fleet.log.info({ ...fields, version: planVersion(plan), hosts: plan.hosts.length }, 'rollout started');
  const slots = new Slots(fleet.limits.maxParallel);
  const restartSlots = new Slots(fleet.limits.restartParallel);
  const outcomes = await collectOutcomes(plan.hosts, async (host) => {
    await fleet.agents.connect(host.address, rollout.stop.cancelled);
    return await slots.run(() => rollOutHost(hostRun(fleet, rollout, { host, restartSlots })), rollout.stop.cancelled);
  });
  for (const [host, outcome] of outcomes) report(fleet, rollout, { host, outcome });
  const seconds = (performance.now() - startedAtMs) / 1000;
  fleet.metrics.rolloutFinished({ operation: plan.operation, seconds });
  fleet.log.info({ ...fields, seconds, failed: countFailed(outcomes) }, 'rollout finished');
  return outcomes;
}

function hostRun(fleet: Fleet, rollout: Rollout, { host, restartSlots }: { host: Host; restartSlots: Slots }) {
  const { limits } = fleet;
  const now = performance.now();
  return {
    ...rollout,
    host,
    restartSlots,
    agents: fleet.agents,
    log: fleet.log,
    limits,
    holdMs: holdMs(rollout.plan, limits.restartParallel),
    deadlineAtMs: now + limits.timeoutMs,
    heardAtMs: now,
    contacted: false,
    activateSent: false,
    lastStep: '',
  };
}

function report(fleet: Fleet, rollout: Rollout, { host, outcome }: { host: string; outcome: Outcome<unknown> }): void {
  const { operationId, plan } = rollout;
  fleet.metrics.hostFinished({ operation: plan.operation, code: outcomeCode(outcome) });
  if (outcome.ok) fleet.log.info({ operationId, host }, 'host finished');
  else fleet.log.warn({ operationId, host, code: outcome.error.code, err: outcome.error }, 'host failed');
}

function countFailed(outcomes: Outcomes<unknown>): number {
  return [...outcomes.values()].filter((outcome) => !outcome.ok).length;
}
