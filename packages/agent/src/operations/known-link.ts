import { type Target, targetKey } from '../releases/layout.ts';
import type { JournalRecord } from './journal-record.ts';

/**
 * What a link may name by the last operation that changed it: one text, or two where a crash came in between. Undefined where
 * the journal knows of no change. `operations`: the records of each, oldest first.
 */
export function knownLinkTexts(
  operations: Iterable<{ records: readonly JournalRecord[] }>,
  target: Target,
): ReadonlySet<string | null> | undefined {
  const key = targetKey(target);
  let texts: Set<string | null> | undefined;
  for (const { records } of operations) {
    const started = records.find((record) => record.event === 'started');
    if (started?.event !== 'started' || targetKey(started.target) !== key) continue;
    for (const record of records) {
      if (record.event === 'flipping') texts = new Set([record.from, record.to]);
      else if (record.event === 'activated') texts = new Set([...(texts ?? [])].slice(-1));
      else if (record.event === 'reverting') texts = new Set([...(texts ?? []), record.to]);
    }
  }
  return texts;
}
