import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { asDeployError, DeployError } from '@sampan/shared/errors.ts';
import { fromWire } from '@sampan/shared/wire-error.ts';
import type { HealthCheck } from '../health/health-check.ts';
import { proveHealthy } from '../health/prove-healthy.ts';
import { realPathOf } from '../host/real-path.ts';
import type { ActivateOutcome, Fence } from '../operations/journal-record.ts';
import type { OperationContext } from '../operations/operation-context.ts';
import { type Layout, linkTargetOf, releaseOfLinkText, type Target } from '../releases/layout.ts';
import { flipLink, readLinkText } from '../releases/link.ts';
import { treeFilePath } from '../releases/meta-files.ts';
import { rememberLeft } from '../releases/old-releases.ts';
import { currentVersion, versionOfLinkText } from '../releases/release-store.ts';
import { findMissing } from '../releases/tree-file.ts';
import { workingDirectoryOf } from '../releases/working-directory.ts';
import { checkedPlace } from './checked-place.ts';
import { chooseRelease, type ReleaseChoice } from './choose-release.ts';
import { expectedRelease } from './expected-release.ts';
import { goBack } from './go-back.ts';
import { hookOf, reload, runHook } from './hooks.ts';
import type { HostServices } from './host-services.ts';
import { namingOldReleases } from './naming-old-releases.ts';
import { assertOldWhole } from './old-release-whole.ts';
import { ownBase } from './own-base.ts';

/** What is to become current. */
export interface ActivateOrder {
  target: Target;
  layout: Layout;
  choice: ReleaseChoice;
  restart: boolean;
  autoRollback: boolean;
  healthCheck?: HealthCheck | undefined;
  fence?: Fence | undefined;
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

const SUPERVISORD_UP_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 500;

/** An agent that dies of what it does here is not to die of it for ever. */
const MAX_ATTEMPTS = 3;

/** Steps 5 to 9 of a deploy: makes a release current, proves that it runs, or goes back to the one before. */
export async function activate(
  order: ActivateOrder,
  services: HostServices,
  operation: OperationContext,
): Promise<ActivateOutcome> {
  await ownBase(order.layout, services);
  const interrupted = await interruptedFlip(order, operation);
  if (interrupted) return finishFlip(interrupted, order, { services, operation });
  const flip = await operation.step('check', () => planFlip(order, services, operation));
  await operation.step('flip', () => carryOut(flip, order, { services, operation }));
  return aftercare(flip, order, { services, operation });
}

/** Past the flip every failure goes back. */
async function aftercare(
  flip: Flip,
  order: ActivateOrder,
  { services, operation }: { services: HostServices; operation: OperationContext },
): Promise<ActivateOutcome> {
  const done: Aftercare = { restartTried: false };
  try {
    if (!flip.done) await operation.record({ event: 'activated' });
    const programs = await settle(order, flip, { services, operation, done });
    const previousVersion = flip.from === null ? '' : ((await versionOfLinkText(order.layout, flip.from)) ?? flip.from);
    const previousRelease = releaseOfLinkText(order.layout, flip.from) ?? '';
    const unchanged = flip.from === flip.to;
    return { version: flip.version, previousVersion, previousRelease, unchanged, programs };
  } catch (error) {
    const reason = operation.signal.aborted && !DeployError.is(error) ? operation.signal.reason : error;
    throw await goBack(asDeployError(reason), { order, flip, aftercare: done }, { services, operation });
  }
}

/** Looks again before anything is touched: whose link it is, where it points, whether the program can be restarted. */
async function planFlip(order: ActivateOrder, services: HostServices, operation: OperationContext): Promise<Flip> {
  const { layout, target } = order;
  const limits = services.config.unpack;
  const from = await readLinkText(layout.link);
  // Under the lock of the base: what was found there and is needed from now on, pruning leaves alone.
  const release = await services.baseLock
    .run(layout.baseDir, async () => {
      const chosen = await chooseRelease(layout, target, order.choice);
      const left = releaseOfLinkText(layout, from);
      services.holds.need(layout.link, operation.operationId, chosen.name, ...(left === undefined ? [] : [left]));
      return chosen;
    })
    .catch((error: unknown) => namingOldReleases(error, { layout, limits, current: from }, operation.signal));
  if (release.old) await assertOldWhole({ layout, limits }, release.old, operation.signal);
  const staged = operation.history.findLast((record) => record.event === 'started' && record.phase === 'stage');
  if (!(staged || release.old)) await assertWhole(layout, release.name, operation.signal);
  if (staged?.event === 'started') assertUnmoved(layout, from, staged.oldTarget);
  if (order.restart) await services.supervisor.assertRestartable(target, operation.signal);
  const to = linkTargetOf(layout, release.name);
  return { from, to, version: release.version, done: from === to };
}

/** What has just been staged is known to be whole; what has stood for long may have lost a part to somebody's hand. */
async function assertWhole(layout: Layout, release: string, signal: AbortSignal): Promise<void> {
  const difference = await findMissing(treeFilePath(layout, release), join(layout.releasesDir, release), signal);
  if (difference !== undefined) throw new DeployError('RELEASE_CHANGED', { release, difference });
}

/** A link that somebody changed meanwhile is somebody's decision: it is not overwritten. */
function assertUnmoved({ link }: Layout, now: string | null, before: string | null): void {
  if (now === before) return;
  throw new DeployError('LINK_MOVED', { link, found: now ?? '(none)', expected: before ?? '(none)' });
}

async function carryOut(
  flip: Flip,
  { layout, target, fence }: ActivateOrder,
  { services, operation }: { services: HostServices; operation: OperationContext },
): Promise<void> {
  // Both without a pause in between: whoever was obeyed since then has the link.
  services.fences.assertNotOvertaken(layout.link, fence, operation.operationId);
  operation.decideFlip();
  if (flip.done) return;
  await services.baseLock.run(layout.baseDir, async () => {
    // Somebody may have removed it by hand.
    await chooseRelease(layout, target, { kind: 'release', release: nameOf(flip.to) });
    assertUnmoved(layout, await readLinkText(layout.link), flip.from);
    await rememberLeft(layout, flip.from);
    await operation.record({ event: 'flipping', from: flip.from, to: flip.to });
    await flipLink(layout, flip.to, operation.operationId);
  });
}

/** What makes the new release the one that runs. */
async function settle(
  { target, layout, restart, healthCheck }: ActivateOrder,
  flip: Flip,
  { services, operation, done }: { services: HostServices; operation: OperationContext; done: Aftercare },
): Promise<ActivateOutcome['programs']> {
  const { signal } = operation;
  const releasePath = await realPathOf(layout.link);
  if (services.config.languages[target.language].reload) {
    await operation.step('reload', () => reload(services, target, signal));
  }
  if (hookOf(services, target, 'post_activate')) {
    const releaseDir = await workingDirectoryOf(releasePath);
    const hook = { target, name: 'post_activate', releaseDir, version: flip.version } as const;
    await operation.step('post_activate', () => runHook(services, hook, operation));
  }
  done.restartTried = restart;
  const programs = restart
    ? await operation.step('restart', async () =>
        services.supervisor.restart(target, await expectedRelease(layout, target), signal),
      )
    : [];
  if (healthCheck) {
    const place = await checkedPlace(services, releasePath);
    await operation.step('health_check', () => proveHealthy(healthCheck, place, signal));
  }
  return programs;
}

/** A flip that took effect in an attempt which a crash interrupted, and the failure that it was on its way back from. */
interface InterruptedFlip {
  flip: Flip;
  attempts: number;
  returning: DeployError | undefined;
}

async function interruptedFlip(
  { layout }: ActivateOrder,
  { history }: OperationContext,
): Promise<InterruptedFlip | undefined> {
  const flipping = history.findLast(({ event }) => event === 'flipping');
  if (flipping?.event !== 'flipping') return undefined;
  const last = history.findLast(({ event }) => event === 'flipping' || event === 'reverting');
  const returning = last?.event === 'reverting' ? fromWire(last.error) : undefined;
  const { from, to } = flipping;
  if (!returning && (await readLinkText(layout.link)) !== to) return undefined;
  const version = (await versionOfLinkText(layout, to)) ?? nameOf(to);
  const attempts = history.filter(({ event, phase }) => event === 'started' && phase === 'activate').length;
  return { flip: { from, to, version, done: true }, attempts, returning };
}

/** Goes on where a crash interrupted: forwards, or back. */
async function finishFlip(
  { flip, attempts, returning }: InterruptedFlip,
  order: ActivateOrder,
  tools: { services: HostServices; operation: OperationContext },
): Promise<ActivateOutcome> {
  tools.operation.decideFlip();
  if (attempts >= MAX_ATTEMPTS) {
    const known = `interrupted ${attempts} times`;
    throw new DeployError('STATE_UNKNOWN', { known, current: (await currentVersion(order.layout)).version });
  }
  if (returning) throw await goBack(returning, { order, flip, aftercare: { restartTried: order.restart } }, tools);
  if (order.restart) await untilSupervised(order.target, tools);
  return aftercare(flip, order, tools);
}

/** After a reboot supervisord may come up later than we do. What is wrong beyond that is for the restart to say. */
async function untilSupervised(
  target: Target,
  { services, operation }: { services: HostServices; operation: OperationContext },
): Promise<void> {
  const giveUpAt = performance.now() + SUPERVISORD_UP_WITHIN_MS;
  while (performance.now() < giveUpAt && !operation.signal.aborted) {
    const error = await services.supervisor.assertRestartable(target, operation.signal).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    if (!DeployError.is(error, 'SUPERVISOR_UNAVAILABLE')) return;
    await delay(LOOK_EVERY_MS);
  }
}

function nameOf(linkText: string): string {
  return linkText.slice(linkText.lastIndexOf('/') + 1);
}
