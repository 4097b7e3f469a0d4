import { describe, expect, it } from 'vitest';
import { judge } from '../../../../packages/agent/src/supervisor/release-evidence.ts';

const expected = { releasePath: '/opt/service/.deploy/zeus-2', deployDir: '/opt/service/.deploy' };

describe('which release a program runs from', () => {
  it.each<{ title: string; shown: string[]; siblings?: string[]; other?: string }>([
    { title: 'nothing shown', shown: [] },
    { title: 'the expected one', shown: ['zeus-2'] },
    { title: 'another one', shown: ['zeus-1'], other: 'zeus-1' },
    { title: "another project's JDK beside the expected one", shown: ['jdk-21', 'zeus-2'] },
    { title: "another project's JDK alone, siblings known", shown: ['jdk-21'], siblings: ['zeus-1', 'zeus-2'] },
    {
      title: 'an older one beside it, siblings known',
      shown: ['zeus-1', 'zeus-2'],
      siblings: ['zeus-1'],
      other: 'zeus-1',
    },
    { title: 'a copy of the same version', shown: ['zeus-2~2'], other: 'zeus-2~2' },
  ])('$title', ({ shown, siblings, other }) => {
    expect(judge(new Set(shown), siblings ? { ...expected, siblings } : expected)).toBe(other);
  });
});
