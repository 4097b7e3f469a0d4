import type { HostCourse } from '../../rollout/course.ts';
import type { ShownRollout } from '../../rollout/rollout-desk.ts';
import { planVersion } from '../../rollout/rollout-plan.ts';
import { planWaves } from '../../rollout/strategy.ts';

/** A rollout as `/v1` shows it in lists. */
export function rolloutSummary({ id, plan, requestedBy, startedAtMs, endedAtMs, course }: ShownRollout) {
  const { target } = plan;
  return {
    id,
    operation: plan.operation,
    project_name: target.projectName,
    link_name: target.linkName,
    language: target.language,
    ...(target.deployDir === '' ? {} : { deploy_dir: target.deployDir }),
    version: planVersion(plan),
    state: course.state,
    requested_by: requestedBy,
    started_at: new Date(startedAtMs).toISOString(),
    ended_at: endedAtMs === undefined ? null : new Date(endedAtMs).toISOString(),
    counts: countsOf([...course.hosts.values()]),
  };
}

/** The same with what it is to do, and with each host. */
export function rolloutDetails(shown: ShownRollout) {
  const { plan, course } = shown;
  const { strategy } = plan;
  const waves = planWaves(plan.hosts, strategy);
  return {
    ...rolloutSummary(shown),
    restart: plan.restart,
    auto_rollback: plan.autoRollback,
    max_failures: strategy.maxFailures,
    atomic: strategy.atomic,
    bake_seconds: strategy.bakeMs / 1000,
    wave: course.wave,
    waves: waves.map(({ hosts }) => hosts.map(({ name }) => name)),
    cancel_requested: course.isCancelled,
    pause_requested: course.isToPause,
    hosts: Object.fromEntries([...course.hosts].map(([name, host]) => [name, hostView(host)])),
  };
}

function hostView({ state, error, version, previousVersion }: HostCourse) {
  return {
    state,
    ...(version === '' ? {} : { version }),
    ...(previousVersion === '' ? {} : { previous_version: previousVersion }),
    ...(error ? { error } : {}),
  };
}

function countsOf(hosts: readonly HostCourse[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of hosts) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
