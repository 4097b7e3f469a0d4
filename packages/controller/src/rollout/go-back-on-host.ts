import { type Aftermath, asDeployError, DeployError } from '@sampan/shared/errors.ts';
import { toWire } from '@sampan/shared/wire-error.ts';
import type { Slots } from '../slots.ts';
import type { HostRun } from './host-run.ts';
import { activateBefore } from './roll-out-host.ts';
import type { Rollout } from './rollout.ts';

/** What is to become current again; `current` is what is so now, as people know it. */
export interface WayBack {
  previousRelease: string;
  current: string;
  slots: Slots;
}

/** What the host looks like afterwards; or, where nobody knows, the error that says so. */
export type WentBack = { aftermath: Aftermath; error?: never } | { aftermath?: never; error: DeployError };

/** The id of the operation that takes a rollout back on a host: asked for twice, it is done once. */
export function backOperationId(operationId: string): string {
  return `${operationId}-back`;
}

/**
 * Takes one host back to the release before, from its own disk and under an operation of its own. What cancels the rollout
 * does not cancel that. Never throws.
 */
export async function goBackOnHost(run: HostRun, way: WayBack, { operationId, stop }: Rollout): Promise<WentBack> {
  const { previousRelease, current, slots } = way;
  if (previousRelease === '') return { aftermath: { current, reverted: false, revertError: nothingBefore() } };
  const uncancelled = new AbortController().signal;
  const back: HostRun = {
    ...run,
    operationId: backOperationId(operationId),
    stop: { cancelled: uncancelled, abandoned: stop.abandoned },
    contacted: false,
    activateSent: false,
    deadlineAtMs: performance.now() + run.limits.timeoutMs,
    lastStep: '',
  };
  try {
    const { version } = await slots.run(() => activateBefore(back, previousRelease), stop.abandoned);
    return { aftermath: { current: version, reverted: true } };
  } catch (thrown) {
    const error = asDeployError(thrown);
    if (error.code === 'STATE_UNKNOWN') return { error };
    return { aftermath: { current: error.aftermath?.current ?? current, reverted: false, revertError: toWire(error) } };
  }
}

function nothingBefore() {
  return toWire(new DeployError('RELEASE_NOT_FOUND', { version: '', available: '' }));
}
