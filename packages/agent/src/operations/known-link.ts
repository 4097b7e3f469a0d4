import type { Target } from '../releases/layout.ts';
import type { JournalRecord } from './journal-record.ts';

/**
 * What a link may name by the last operation that changed it: one text, or two where a crash came in between. Undefined where
 * the journal knows of no change. `operations`: the records of each, oldest first.
 */
export function knownLinkTexts(
  operations: Iterable<{ records: readonly JournalRecord[] }>,
  target: Target,
): ReadonlySet<string | null> | undefined {
  let texts: Set<string | null> | undefined;
  for (const { records } of operations) {
    const started = records.find((record) => record.event === 'started');
    if (started?.event !== 'started' || !isSameTarget(started.target, target)) continue;
    for (const record of records) {
      if (record.event === 'flipping') texts = new Set([record.from, record.to]);
      else if (record.event === 'activated') texts = new Set([...(texts ?? [])].slice(-1));
      else if (record.event === 'reverting') texts = new Set([...(texts ?? []), record.to]);
    }
  }
  return texts;
}

/** Asked of a thousand operations at each deploy. */
function isSameTarget(a: Target, b: Target): boolean {
  return (
    a.projectName === b.projectName &&
    a.linkName === b.linkName &&
    a.language === b.language &&
    a.deployDir === b.deployDir
  );
}
