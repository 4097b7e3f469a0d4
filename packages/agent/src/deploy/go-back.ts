import { type Aftermath, asDeployError, DeployError, type WireError } from '@sampan/shared/errors.ts';
import { toWire } from '@sampan/shared/wire-error.ts';
import type { OperationContext } from '../operations/operation-context.ts';
import { flipLink, readLinkText } from '../releases/link.ts';
import { versionOfLinkText } from '../releases/release-store.ts';
import type { ActivateOrder, Aftercare, Flip } from './activate.ts';
import { expectedRelease } from './expected-release.ts';
import { reload } from './hooks.ts';
import type { HostServices } from './host-services.ts';

/** Going back runs on its own time: the deploy's deadline may be what failed. */
const GO_BACK_DEADLINE_MS = 5 * 60_000;

interface Failed {
  order: ActivateOrder;
  flip: Flip;
  aftercare: Aftercare;
}

/**
 * Restores the previous link after a failure past the flip, if the link is still ours, and restarts again.
 * Without a previous release, or with `auto_rollback: false`, the new one stays.
 * @returns the failure, with what is current now. Never throws.
 */
export async function goBack(
  error: unknown,
  failed: Failed,
  { services, operation }: { services: HostServices; operation: OperationContext },
): Promise<DeployError> {
  const failure = asDeployError(operation.signal.aborted && !DeployError.is(error) ? operation.signal.reason : error);
  const { layout, autoRollback } = failed.order;
  const { from, to } = failed.flip;
  let reverted = false;
  let revertError: WireError | undefined;
  try {
    if (autoRollback && from !== null && from !== to && (await canReturn(failed, from))) {
      await operation.record({ event: 'reverting', to: from });
      await services.baseLock.run(layout.baseDir, () => flipLink(layout, from, operation.operationId));
      reverted = true;
      await settleAgain(failed, services);
    }
  } catch (cause) {
    services.log.error({ err: cause, operationId: operation.operationId }, 'going back failed');
    revertError = toWire(asDeployError(cause));
  }
  return failure.withAftermath({ current: await currentNow(failed.order), reverted, revertError });
}

/** The link is still ours, and what it named before is still there. */
async function canReturn({ order, flip }: Failed, from: string): Promise<boolean> {
  if ((await readLinkText(order.layout.link)) !== flip.to) return false;
  return (await versionOfLinkText(order.layout, from)) !== undefined;
}

async function settleAgain({ order, aftercare }: Failed, services: HostServices): Promise<void> {
  const signal = AbortSignal.timeout(GO_BACK_DEADLINE_MS);
  await reload(services, order.target, signal);
  if (!aftercare.restartTried) return;
  await services.supervisor.restart(order.target, await expectedRelease(order.layout, order.target), signal);
}

async function currentNow({ layout }: ActivateOrder): Promise<Aftermath['current']> {
  try {
    const text = await readLinkText(layout.link);
    return text === null ? null : ((await versionOfLinkText(layout, text)) ?? text);
  } catch (error) {
    return `? (${asDeployError(error).code})`;
  }
}
