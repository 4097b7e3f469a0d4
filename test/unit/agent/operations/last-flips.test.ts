import type { BaseLinks } from '@sampan/agent/operations/base-links.ts';
import type { JournalRecord } from '@sampan/agent/operations/journal-record.ts';
import { forgettable, textsBefore } from '@sampan/agent/operations/last-flips.ts';
import type { KnownOperation } from '@sampan/agent/operations/operations.ts';
import { describe, expect, it } from 'vitest';

const at = '2026-11-22T12:00:00.000Z';

/** An operation on a link that flipped it, where it did. */
function operation(linkName: string, flip?: [from: string | null, to: string], ...more: 'reverting'[]): KnownOperation {
  const target = { projectName: 'shop', linkName, language: 'php', deployDir: '' } as const;
  const records: JournalRecord[] = [
    { event: 'started', at, phase: 'activate', attempt: 1, request: '', target, oldTarget: null, brings: '' },
  ];
  if (flip) records.push({ event: 'flipping', at, phase: 'activate', from: flip[0], to: flip[1] });
  if (more.includes('reverting')) {
    const error = { code: 'HEALTH_CHECK_FAILED', params: {} };
    records.push({ event: 'reverting', at, phase: 'activate', to: flip?.[0] ?? '', error });
  }
  return { records, running: undefined };
}

const links = (texts: Record<string, string>): BaseLinks => ({
  linkOf: ({ linkName }) => (linkName === 'elsewhere' ? undefined : linkName),
  texts: new Map(Object.entries(texts)),
});

describe('what links named before', () => {
  it.each<[string, KnownOperation[], Record<string, string>, string[]]>([
    [
      'is what the last flip led away from',
      [operation('web', ['a', 'b']), operation('web', ['b', 'c'])],
      { web: 'c' },
      ['b'],
    ],
    ['is nothing where there was no link', [operation('web', [null, 'a'])], { web: 'a' }, []],
    [
      'is what it was where a later flip went back',
      [operation('web', ['a', 'b']), operation('web', ['b', 'c'], 'reverting')],
      { web: 'b' },
      ['a'],
    ],
    ['is known too where going back failed', [operation('web', ['a', 'b'], 'reverting')], { web: 'b' }, ['a']],
    [
      'stays where what is current was activated again',
      [operation('web', ['a', 'b']), operation('web')],
      { web: 'b' },
      ['a'],
    ],
    ['is not known of a link that somebody else has set', [operation('web', ['a', 'b'])], { web: 'by-hand' }, []],
    ['is not known of a link that is gone', [operation('web', ['a', 'b'])], {}, []],
    [
      'is told of every link of the base',
      [operation('web', ['a', 'b']), operation('api', ['c', 'd'])],
      { web: 'b', api: 'd' },
      ['a', 'c'],
    ],
    ['is not told of another base', [operation('elsewhere', ['a', 'b'])], { elsewhere: 'b' }, []],
  ])('%s', (...[, operations, texts, before]) => {
    expect([...textsBefore(operations, links(texts))].sort()).toEqual(before);
  });
});

it('all operations may be forgotten but those that run, and those that flipped a link last, for good or not', () => {
  const operations = new Map<string, KnownOperation>([
    ['first', operation('web', [null, 'a'])],
    ['of-another-link', operation('api', [null, 'x'])],
    ['last-for-good', operation('web', ['a', 'b'])],
    ['staged-only', operation('web')],
    ['went-back-before', operation('web', ['b', 'c'], 'reverting')],
    ['went-back', operation('web', ['b', 'd'], 'reverting')],
    ['runs', { ...operation('web'), running: {} as NonNullable<KnownOperation['running']> }],
  ]);
  expect(forgettable(operations)).toEqual(['first', 'staged-only', 'went-back-before']);
});
