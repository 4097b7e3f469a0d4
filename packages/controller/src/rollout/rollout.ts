import type { Fleet } from '../fleet.ts';
import { type Outcome, type Outcomes, outcomeCode, outcomeOf } from '../outcomes.ts';
import { Slots } from '../slots.ts';
import type { HostRun, Stop } from './host-run.ts';
import { recallOperation } from './recall-operation.ts';
import { closeHost, rollOutHost } from './roll-out-host.ts';
import { type Host, holdMs, planVersion, type RolloutPlan } from './rollout-plan.ts';

/** One deploy or rollback over many hosts. Its id is the operation id on every host. */
export interface Rollout {
  operationId: string;
  plan: RolloutPlan;
  stop: Stop;
  /** Where it had come to, if the controller died while it ran. */
  takenUp?: TakenUp;
  /** Called for each host as it ends. */
  hostEnded(host: string, outcome: Outcome<unknown>): void;
}

/** A rollout that is carried on after a restart of the controller. */
export interface TakenUp {
  /** Of the hosts that had ended. They are not asked again. */
  outcomes: Outcomes<unknown>;
  /** False when it is too old: hosts that were not told to activate are cancelled. */
  mayBegin: boolean;
}

/**
 * Carries a plan out on all its hosts: at most `maxParallel` at a time, and `restartParallel` of these restarting. A host is
 * connected to before it takes its place, so that those which are down hold up nobody. One that fails stops no other.
 * Never throws: every host has its outcome.
 */
export async function runRollout(fleet: Fleet, rollout: Rollout): Promise<Outcomes<unknown>> {
  const { operationId, plan, takenUp } = rollout;
  const startedAtMs = performance.now();
  const fields = {
    operationId,
    operation: plan.operation,
    project: plan.target.projectName,
    link: plan.target.linkName,
  };
  const hosts = plan.hosts.length - (takenUp?.outcomes.size ?? 0);
  fleet.log.info(
    { ...fields, version: planVersion(plan), hosts },
    takenUp ? 'rollout taken up again' : 'rollout started',
  );
  const slots = new Slots(fleet.limits.maxParallel);
  const restartSlots = new Slots(fleet.limits.restartParallel);
  const endHost = async (host: Host) => {
    const known = takenUp?.outcomes.get(host.name);
    if (known) return known;
    const outcome = await outcomeOf(runHost(fleet, rollout, { host, slots, restartSlots }));
    report(fleet, rollout, { host: host.name, outcome });
    return outcome;
  };
  const outcomes = new Map(
    await Promise.all(plan.hosts.map(async (host) => [host.name, await endHost(host)] as const)),
  );
  const seconds = (performance.now() - startedAtMs) / 1000;
  fleet.metrics.rolloutFinished({ operation: plan.operation, seconds });
  fleet.log.info({ ...fields, seconds, failed: countFailed(outcomes) }, 'rollout finished');
  return outcomes;
}

interface Place {
  host: Host;
  slots: Slots;
  restartSlots: Slots;
}

async function runHost(fleet: Fleet, rollout: Rollout, place: Place): Promise<unknown> {
  const { cancelled } = rollout.stop;
  const { host, slots } = place;
  if (!rollout.takenUp) {
    await fleet.agents.connect(host.address, cancelled);
    return await slots.run(() => rollOutHost(hostRun(fleet, rollout, place)), cancelled);
  }
  const recalled = await recallOperation(fleet, { operationId: rollout.operationId, host }, cancelled);
  const run = () => ({ ...hostRun(fleet, rollout, place), ...recalled });
  // What an agent was told to activate takes its course, whether or not there is a place for it.
  if (recalled.activateSent) return await rollOutHost(run());
  if (!rollout.takenUp.mayBegin) return await closeHost(run());
  return await slots.run(() => rollOutHost(run()), cancelled);
}

function hostRun(fleet: Fleet, rollout: Rollout, { host, restartSlots }: Place): HostRun {
  const { limits } = fleet;
  const now = performance.now();
  return {
    plan: rollout.plan,
    operationId: rollout.operationId,
    stop: rollout.stop,
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
  rollout.hostEnded(host, outcome);
  fleet.metrics.hostFinished({ operation: plan.operation, code: outcomeCode(outcome) });
  if (outcome.ok) fleet.log.info({ operationId, host }, 'host finished');
  else fleet.log.warn({ operationId, host, code: outcome.error.code, err: outcome.error }, 'host failed');
}

function countFailed(outcomes: Outcomes<unknown>): number {
  return [...outcomes.values()].filter((outcome) => !outcome.ok).length;
}
