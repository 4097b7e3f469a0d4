import { describe } from 'vitest';
import { requires } from '../../helpers/requires.ts';
import { disk } from '../cases/disk.ts';
import { runCases } from '../harness/run-cases.ts';

describe.runIf(requires('root', 'strace', 'mounts'))('a disk', () => {
  runCases('disk', disk, {
    speed: 'slow',
    stage: () => undefined,
    except: ['an error at every rename/fsync/symlink call, one by one', 'power cut at 50 points'],
  });
});
