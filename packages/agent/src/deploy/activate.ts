import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asDeployError, DeployError } from '@sampan/shared/errors.ts';
import { fromWire } from '@sampan/shared/wire-error.ts';
import { realPathOf } from '../host/real-path.ts';
import type { ActivateOutcome } from '../operations/journal-record.ts';
import type { OperationContext } from '../operations/operation-context.ts';
import { type Layout, linkTargetOf, type Target } from '../releases/layout.ts';
import { flipLink, readLinkText } from '../releases/link.ts';
import { findRelease, versionOfLinkText } from '../releases/release-store.ts';
import { chooseRelease, type ReleaseChoice } from './choose-release.ts';
import { expectedRelease } from './expected-release.ts';
import { goBack } from './go-back.ts';
import { hookOf, reload, runHook } from './hooks.ts';
import type { HostServices } from './host-services.ts';
import { ownBase } from './own-base.ts';

/** What is to become current. */
export interface ActivateOrder {
  target: Target;
  layout: Layout;
  choice: ReleaseChoice;
  restart: boolean;
  autoRollback: boolean;
}

/** The flip, planned: texts are what the link says, null where there is none. */
export interface Flip {
  from: string | null;
  to: string;
  version: string;
  /** The link names the release already: this very release was current, or an interrupted attempt flipped it. */
  done: boolean;
}

/** How far the work past the flip came: what going back has to undo. */
export interface Aftercare {
  restartTried: boolean;
}

/** How an activation ended, and what the link named before. */
export interface Activated {
  result: ActivateOutcome;
  left: string | null;
}

/** Steps 5 to 9 of a deploy: makes a release current, proves that it runs, or goes back to the one before. */
export async function activate(
  order: ActivateOrder,
  services: HostServices,
  operation: OperationContext,
): Promise<Activated> {
  const interrupted = interruptedReturn(operation.history);
  if (interrupted) {
    operation.decideFlip();
    const failed = { order, flip: interrupted.flip, aftercare: { restartTried: order.restart } };
    throw await goBack(interrupted.error, failed, { services, operation });
  }
  const flip = await operation.step('check', () => planFlip(order, services, operation));
  const previousVersion = flip.from === null ? '' : ((await versionOfLinkText(order.layout, flip.from)) ?? flip.from);
  await operation.step('flip', () => carryOut(flip, order, { services, operation }));
  const aftercare: Aftercare = { restartTried: false };
  try {
    if (!flip.done) await operation.record({ event: 'activated' });
    const programs = await settle(order, flip, { services, operation, aftercare });
    const result = { version: flip.version, previousVersion, unchanged: flip.from === flip.to, programs };
    return { result, left: flip.from };
  } catch (error) {
    const reason = operation.signal.aborted && !DeployError.is(error) ? operation.signal.reason : error;
    throw await goBack(asDeployError(reason), { order, flip, aftercare }, { services, operation });
  }
}

/** The return to the old release that a crash interrupted, and the failure that was its reason. */
function interruptedReturn(history: OperationContext['history']): { flip: Flip; error: DeployError } | undefined {
  const last = history.findLast(({ event }) => event === 'flipping' || event === 'reverting');
  const flipping = history.findLast(({ event }) => event === 'flipping');
  if (last?.event !== 'reverting' || flipping?.event !== 'flipping') return undefined;
  return { flip: { from: last.to, to: flipping.to, version: '', done: true }, error: fromWire(last.error) };
}

/** Looks again before anything is touched: whose link it is, where it points, whether the program can be restarted. */
async function planFlip(order: ActivateOrder, services: HostServices, operation: OperationContext): Promise<Flip> {
  const { layout, target } = order;
  await ownBase(layout, services);
  const now = await readLinkText(layout.link);
  const flipped = operation.history.findLast((record) => record.event === 'flipping');
  const interrupted = flipped?.event === 'flipping' && flipped.to === now ? flipped : undefined;
  const choice: ReleaseChoice = interrupted ? { kind: 'release', release: nameOf(interrupted.to) } : order.choice;
  const release = await chooseRelease(layout, target, choice);
  const to = linkTargetOf(layout, release.name);
  if (!interrupted) assertUnmoved(order, now, operation);
  if (order.restart) await services.supervisor.assertRestartable(target, operation.signal);
  return { from: interrupted ? interrupted.from : now, to, version: release.version, done: now === to };
}

/** A link that somebody changed between staging and now is somebody's decision: it is not overwritten. */
function assertUnmoved({ layout }: ActivateOrder, now: string | null, operation: OperationContext): void {
  const staged = operation.history.findLast((record) => record.event === 'started' && record.phase === 'stage');
  if (staged?.event !== 'started' || staged.oldTarget === now) return;
  const shown = (text: string | null) => text ?? '(none)';
  throw new DeployError('LINK_MOVED', { link: layout.link, found: shown(now), expected: shown(staged.oldTarget) });
}

async function carryOut(
  flip: Flip,
  { layout }: ActivateOrder,
  { services, operation }: { services: HostServices; operation: OperationContext },
): Promise<void> {
  operation.decideFlip();
  if (flip.done) return;
  await services.baseLock.run(layout.baseDir, async () => {
    const name = nameOf(flip.to);
    // Under the lock of the base, nothing can be pruned between this look and the flip.
    if (!(await findRelease(layout, name)))
      throw new DeployError('RELEASE_NOT_FOUND', { version: name, available: '' });
    await operation.record({ event: 'flipping', from: flip.from, to: flip.to });
    await flipLink(layout, flip.to, operation.operationId);
  });
}

/** What makes the new release the one that runs. */
async function settle(
  { target, layout, restart }: ActivateOrder,
  flip: Flip,
  { services, operation, aftercare }: { services: HostServices; operation: OperationContext; aftercare: Aftercare },
): Promise<ActivateOutcome['programs']> {
  const { signal } = operation;
  const releasePath = await realPathOf(layout.link);
  if (services.config.languages[target.language].reload) {
    await operation.step('reload', () => reload(services, target, signal));
  }
  if (hookOf(services, target, 'post_activate')) {
    const releaseDir = (await stat(releasePath)).isDirectory() ? releasePath : dirname(releasePath);
    const hook = { target, name: 'post_activate', releaseDir, version: flip.version } as const;
    await operation.step('post_activate', () => runHook(services, hook, signal));
  }
  if (!restart) return [];
  aftercare.restartTried = true;
  return operation.step('restart', async () =>
    services.supervisor.restart(target, await expectedRelease(layout, target), signal),
  );
}

function nameOf(linkText: string): string {
  return linkText.slice(linkText.lastIndexOf('/') + 1);
}
