import type { KnownOperation } from './operations.ts';
import { outcomeOf } from './operations.ts';

/** A caller that staged and never came back: after this long its release is like any other. */
const PINNED_FOR_MS = 24 * 60 * 60_000;

/**
 * The releases that operations have staged and may still activate: retention leaves them alone, also after the agent was
 * restarted, since this is read from what the journal keeps.
 */
export function pinnedReleases(operations: Iterable<KnownOperation>, now: number): Set<string> {
  const pinned = new Set<string>();
  for (const { records } of operations) {
    const staged = records.findLast((record) => record.event === 'finished' && record.phase === 'stage');
    if (staged?.event !== 'finished' || staged.outcome.kind !== 'staged') continue;
    const isOpen = outcomeOf(records, 'activate') === undefined && now - Date.parse(staged.at) < PINNED_FOR_MS;
    if (isOpen) pinned.add(staged.outcome.result.release);
  }
  return pinned;
}
