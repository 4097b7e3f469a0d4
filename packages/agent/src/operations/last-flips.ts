import { targetKey } from '../releases/layout.ts';
import type { BaseLinks } from './base-links.ts';
import type { JournalRecord } from './journal-record.ts';
import type { KnownOperation } from './operations.ts';

/**
 * What the links of a base named before the flips that gave them what they name now: where a rollout goes back to that is not sure
 * yet, or somebody who sees later that it was wrong. Nothing ends that but the next flip. `operations`: oldest first.
 */
export function textsBefore(operations: Iterable<KnownOperation>, { linkOf, texts }: BaseLinks): Set<string> {
  const before = new Map<string, string>();
  for (const { records } of operations) {
    const link = linkFlippedBy(records, linkOf);
    if (link === undefined) continue;
    for (const record of records) {
      if (record.event !== 'flipping' || record.to !== texts.get(link)) continue;
      if (record.from !== null && record.from !== record.to) before.set(link, record.from);
    }
  }
  return new Set(before.values());
}

/**
 * The operations that may be forgotten, oldest first: none that runs, and none by which `textsBefore` knows, which is of each link the
 * last that flipped it, and the last that did so and did not go back.
 */
export function forgettable(operations: ReadonlyMap<string, KnownOperation>): string[] {
  const last = new Map<string, string>();
  for (const [operationId, { records }] of operations) {
    const target = linkFlippedBy(records, targetKey);
    const wentBack = records.some(({ event }) => event === 'reverting');
    if (target !== undefined) last.set(`${target} ${wentBack}`, operationId);
  }
  const needed = new Set(last.values());
  return [...operations].filter(([id, { running }]) => !(running || needed.has(id))).map(([id]) => id);
}

function linkFlippedBy(records: readonly JournalRecord[], linkOf: BaseLinks['linkOf']): string | undefined {
  if (!records.some(({ event }) => event === 'flipping')) return undefined;
  const started = records.find((record) => record.event === 'started');
  return started?.event === 'started' ? linkOf(started.target) : undefined;
}
