import type { Fleet } from '../fleet.ts';
import type { HostRun } from './host-run.ts';
import type { Rollout } from './rollout.ts';
import { holdMs } from './rollout-plan.ts';

/** One host's calls before the first of them. */
export function newHostRun(
  fleet: Fleet,
  rollout: Rollout,
  more: Pick<HostRun, 'host' | 'restartSlots' | 'onProgress'>,
): HostRun {
  const { plan, operationId, stop, fence } = rollout;
  const { limits, agents, log } = fleet;
  const now = performance.now();
  return {
    ...more,
    plan,
    operationId,
    stop,
    fence,
    agents,
    log,
    limits,
    holdMs: holdMs(plan, limits),
    deadlineAtMs: now + limits.timeoutMs,
    heardAtMs: now,
    contacted: false,
    activateSent: false,
    lastStep: '',
  };
}
