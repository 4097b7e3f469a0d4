import { describe } from 'vitest';
import { requires } from '../../helpers/requires.ts';
import { disk } from '../cases/disk.ts';
import { runCases } from '../harness/run-cases.ts';

describe.runIf(requires('root', 'mounts', 'FUSE', 'mkfs.ext4'))('a disk whose power is cut', () => {
  runCases('disk', disk, { speed: 'slow', stage: () => undefined, only: ['power cut at 50 points'] });
});
