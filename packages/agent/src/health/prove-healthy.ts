import { setTimeout as delay } from 'node:timers/promises';
import { DeployError } from '@sampan/shared/errors.ts';
import { attemptCheck, type CheckedPlace } from './attempt-check.ts';
import { checkName, expectedOf, type HealthCheck } from './health-check.ts';

/**
 * Looks again and again until the check has succeeded as often in a row as it is to, or its deadline has passed.
 * @throws DeployError HEALTH_CHECK_FAILED with what was found last; what `signal` was aborted with.
 */
export async function proveHealthy(check: HealthCheck, place: CheckedPlace, signal: AbortSignal): Promise<void> {
  const untilMs = performance.now() + check.deadlineMs;
  let successes = 0;
  for (let attempts = 1; ; attempts += 1) {
    // None outlasts the deadline of all.
    const leftMs = Math.max(1, Math.ceil(untilMs - performance.now()));
    const timeoutMs = Math.min(check.timeoutMs, leftMs);
    const attempt = await attemptCheck({ ...check, timeoutMs }, place, signal);
    successes = attempt.ok ? successes + 1 : 0;
    if (successes >= check.successes) return;
    if (performance.now() + check.intervalMs > untilMs) {
      const found = attempt.ok ? `${successes} of ${check.successes} successes in a row` : attempt.found;
      throw new DeployError('HEALTH_CHECK_FAILED', {
        check: checkName(check),
        attempts,
        found,
        expected: expectedOf(check),
      });
    }
    await delay(check.intervalMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
