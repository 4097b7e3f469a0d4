import type { JournalRecord } from '@sampan/agent/operations/journal-record.ts';
import { pinnedReleases } from '@sampan/agent/operations/pinned-releases.ts';
import { expect, it } from 'vitest';

const noon = Date.parse('2026-11-22T12:00:00.000Z');
const at = new Date(noon).toISOString();

function staged(release: string): JournalRecord {
  const result = { release, version: release, sha256: '', bytes: 0, entries: 0, reused: false };
  return { event: 'finished', at, phase: 'stage', outcome: { kind: 'staged', result } };
}

const failedActivation: JournalRecord = {
  event: 'finished',
  at,
  phase: 'activate',
  outcome: { kind: 'failed', error: { code: 'OPERATION_CANCELLED', params: {} } },
};

it('pins what was staged until its activation has an outcome, or a day has passed', () => {
  const operations = [
    { records: [staged('waits')], running: undefined },
    { records: [staged('was-cancelled'), failedActivation], running: undefined },
    { records: [{ event: 'interrupted', at, phase: 'stage' } as const], running: undefined },
  ];
  expect(pinnedReleases(operations, noon)).toEqual(new Set(['waits']));
  expect(pinnedReleases(operations, noon + 24 * 60 * 60_000)).toEqual(new Set());
});
