import type { BaseLinks } from './base-links.ts';
import type { JournalRecord } from './journal-record.ts';
import { type KnownOperation, outcomeOf } from './operations.ts';

/** A caller that staged and never came back: after this long its release is like any other once somebody else has moved the link. */
const PINNED_FOR_MS = 24 * 60 * 60_000;

/**
 * The releases that operations have staged and may still activate: retention leaves them alone, also after the agent was
 * restarted, since this is read from what the journal keeps. While the link names what it named then, that is for good: a rollout
 * may bake, or wait for a person, for days before it comes to this host.
 */
export function pinnedReleases(operations: Iterable<KnownOperation>, links: BaseLinks, nowMs: number): Set<string> {
  const pinned = new Set<string>();
  for (const { records } of operations) {
    const staged = records.findLast((record) => record.event === 'finished' && record.phase === 'stage');
    if (staged?.event !== 'finished' || staged.outcome.kind !== 'staged') continue;
    if (outcomeOf(records, 'activate') !== undefined) continue;
    const isRecent = nowMs - Date.parse(staged.at) < PINNED_FOR_MS;
    if (isRecent || isLinkUnmoved(records, links)) pinned.add(staged.outcome.result.release);
  }
  return pinned;
}

/** Whether the link still names what it named when the operation began to stage: else it would be refused to flip it. */
function isLinkUnmoved(records: readonly JournalRecord[], { linkOf, texts }: BaseLinks): boolean {
  const started = records.findLast((record) => record.event === 'started' && record.phase === 'stage');
  const link = started?.event === 'started' ? linkOf(started.target) : undefined;
  return started?.event === 'started' && link !== undefined && started.oldTarget === (texts.get(link) ?? null);
}
