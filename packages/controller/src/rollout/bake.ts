import { setTimeout as delay } from 'node:timers/promises';
import { DeployError } from '@sampan/shared/errors.ts';
import type { Health } from './check-health.ts';
import type { HostPart } from './host-part.ts';
import { activeOf, verdictOf, type Work } from './work.ts';

const INTERVAL_MS = 1_000;

/**
 * Has the health of every host that is active asked for again and again until `bakeMs` are over. One that is ill, or whose agent is away at
 * the end, fails and goes back; where the rollout is all or nothing, that ends the baking for the others.
 */
export async function bake(work: Work, wave: number): Promise<void> {
  const { log, plan, stop } = work.rollout;
  await log.decide({ kind: 'rollout', state: 'baking', wave });
  const endMs = performance.now() + plan.strategy.bakeMs;
  const everyMs = plan.strategy.healthCheck?.intervalMs || INTERVAL_MS;
  const signal = AbortSignal.any([stop.cancelled, stop.suspended]);
  const away = new Map<HostPart, string>();
  for (;;) {
    stop.suspended.throwIfAborted();
    const isLast = performance.now() >= endMs;
    await Promise.all(activeOf(work.parts).map((part) => look(part, { work, away, isLast })));
    if (isLast || activeOf(work.parts).length === 0 || verdictOf(work).kind !== 'go_on') return;
    await delay(Math.min(everyMs, Math.max(0, endMs - performance.now())), undefined, { signal }).catch(
      () => undefined,
    );
  }
}

async function look(
  part: HostPart,
  { work, away, isLast }: { work: Work; away: Map<HostPart, string>; isLast: boolean },
): Promise<void> {
  const health: Health = await part.checkHealth();
  work.rollout.stop.suspended.throwIfAborted();
  if (health.kind === 'well') {
    away.delete(part);
    return;
  }
  if (health.kind === 'ill') return await failed(part, health.error, work);
  away.set(part, health.reason);
  if (isLast) await failed(part, new DeployError('STATE_UNKNOWN', { known: health.reason, step: 'bake' }), work);
}

/** Goes back at once where it may, alone or not: what was seen to be ill is not left to serve. */
async function failed(part: HostPart, error: DeployError, { rollout }: Work): Promise<void> {
  const { atomic } = rollout.plan.strategy;
  if (rollout.plan.autoRollback || atomic) await part.goBack({ own: error });
  else part.fail(error);
}
