import { type Aftermath, asDeployError, type DeployError, type WireError } from '@sampan/shared/errors.ts';
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

interface Tools {
  services: HostServices;
  operation: OperationContext;
}

/**
 * Restores the previous link after a failure past the flip, if the link is still ours, and restarts again.
 * Without a previous release, or with `auto_rollback: false`, the new one stays.
 * @returns the failure, with what is current now. Never throws.
 */
export async function goBack(failure: DeployError, failed: Failed, tools: Tools): Promise<DeployError> {
  const { services, operation } = tools;
  let reverted = false;
  let revertError: WireError | undefined;
  try {
    reverted = await putBack(failure, failed, tools);
    if (reverted) await settleAgain(failed, services);
  } catch (cause) {
    services.log.error({ err: cause, operationId: operation.operationId }, 'going back failed');
    revertError = toWire(asDeployError(cause));
  }
  return failure.withAftermath({ current: await currentNow(failed.order), reverted, revertError });
}

/** Whether the link names the old release again: now, or since an attempt that a crash interrupted. */
async function putBack(
  failure: DeployError,
  { order, flip }: Failed,
  { services, operation }: Tools,
): Promise<boolean> {
  const { layout, autoRollback } = order;
  const { from, to } = flip;
  if (!autoRollback || from === null || from === to) return false;
  return services.baseLock.run(layout.baseDir, async () => {
    const now = await readLinkText(layout.link);
    if (now === from) return true;
    if (now !== to || (await versionOfLinkText(layout, from)) === undefined) return false;
    await operation.record({ event: 'reverting', to: from, error: toWire(failure) });
    await flipLink(layout, from, operation.operationId);
    return true;
  });
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
