import type { BaseLinks } from '@sampan/agent/operations/base-links.ts';
import type { JournalRecord } from '@sampan/agent/operations/journal-record.ts';
import { pinnedReleases } from '@sampan/agent/operations/pinned-releases.ts';
import { expect, it } from 'vitest';

const noon = Date.parse('2026-11-22T12:00:00.000Z');
const at = new Date(noon).toISOString();
const aDayLater = noon + 24 * 60 * 60_000;

/** An operation that has staged a release while its link named `oldTarget`. */
function staged(release: string, linkName: string, oldTarget: string | null) {
  const result = { release, version: release, sha256: '', bytes: 0, entries: 0, reused: false };
  const target = { projectName: 'shop', linkName, language: 'php', deployDir: '' } as const;
  const records: JournalRecord[] = [
    { event: 'started', at, phase: 'stage', attempt: 1, request: '', target, oldTarget, brings: release },
    { event: 'finished', at, phase: 'stage', outcome: { kind: 'staged', result } },
  ];
  return { records, running: undefined };
}

const cancelled: JournalRecord = {
  event: 'finished',
  at,
  phase: 'activate',
  outcome: { kind: 'failed', error: { code: 'OPERATION_CANCELLED', params: {} } },
};

/** The links of the base, by their names; `elsewhere` is of another one. */
const links = (texts: Record<string, string>): BaseLinks => ({
  linkOf: ({ linkName }) => (linkName === 'elsewhere' ? undefined : linkName),
  texts: new Map(Object.entries(texts)),
});

it('pins what was staged until its activation has an outcome', () => {
  const wasCancelled = staged('was-cancelled', 'web', '.deploy/old');
  wasCancelled.records.push(cancelled);
  const operations = [
    staged('waits', 'web', '.deploy/old'),
    wasCancelled,
    { records: [{ event: 'interrupted', at, phase: 'stage' } as const], running: undefined },
  ];
  const unmoved = links({ web: '.deploy/old' });
  expect(pinnedReleases(operations, unmoved, noon)).toEqual(new Set(['waits']));
  expect(pinnedReleases(operations, unmoved, aDayLater)).toEqual(new Set(['waits']));
});

it('pins it no longer than a day where its link was moved meanwhile, or is of another base', () => {
  const operations = [
    staged('unmoved', 'web', '.deploy/old'),
    staged('moved', 'api', '.deploy/old'),
    staged('still-the-first', 'none-yet', null),
    staged('no-more-the-first', 'web', null),
    staged('link-is-gone', 'gone', '.deploy/old'),
    staged('of-another-base', 'elsewhere', null),
  ];
  const now = links({ web: '.deploy/old', api: '.deploy/new' });
  expect(pinnedReleases(operations, now, aDayLater - 1).size).toBe(operations.length);
  expect(pinnedReleases(operations, now, aDayLater)).toEqual(new Set(['unmoved', 'still-the-first']));
});
