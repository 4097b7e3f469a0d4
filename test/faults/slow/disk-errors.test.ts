import { describe } from 'vitest';
import { requires } from '../../helpers/requires.ts';
import { disk } from '../cases/disk.ts';
import { runCases } from '../harness/run-cases.ts';

describe.runIf(requires('root', 'strace'))('a disk that fails at one call', () => {
  runCases('disk', disk, {
    speed: 'slow',
    stage: () => undefined,
    only: ['an error at every rename/fsync/symlink call, one by one'],
  });
});
