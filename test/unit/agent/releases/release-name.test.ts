import { isReleaseName } from '@sampan/agent/releases/release-store.ts';
import { expect, it } from 'vitest';

it.each(['web-1.2', 'a.jar', 'web-1.2~2', 'web-1.2~10'])(
  'takes %s for what a release is called on the disk',
  (name) => {
    expect(isReleaseName(name)).toBe(true);
  },
);

it.each(['', '..', '../x', 'a/b', '.meta', '~2', 'a~', 'a~x', 'a~1~2', 'a\0', 'a'.repeat(300)])(
  'does not look %j up on the disk',
  (name) => {
    expect(isReleaseName(name)).toBe(false);
  },
);
