import type { HostPart } from './host-part.ts';
import type { Rollout } from './rollout.ts';
import type { Wave } from './strategy.ts';
import { judge, type Verdict } from './verdict.ts';

/** A rollout and its hosts while it is carried out. */
export interface Work {
  rollout: Rollout;
  parts: readonly HostPart[];
  waves: readonly Wave<HostPart>[];
}

/** What is to happen now by the rules of the rollout. Once it goes back it does not go forth again. */
export function verdictOf({ rollout }: Work): Verdict {
  const { log, plan } = rollout;
  const verdict = judge(log.course, plan.strategy);
  if (log.course.state !== 'going_back' || verdict.kind === 'go_back') return verdict;
  return { kind: 'go_back', cause: { cause: 'failures', failed: 0, allowed: 0 } };
}

/** Those that are flipped and proven, and may yet go back. */
export function activeOf(parts: readonly HostPart[]): HostPart[] {
  return parts.filter(({ state }) => state === 'active');
}
