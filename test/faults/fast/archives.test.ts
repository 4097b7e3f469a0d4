import { afterAll, beforeAll, describe } from 'vitest';
import { archives, hostile } from '../cases/archives.ts';
import { runCases } from '../harness/run-cases.ts';
import { World } from '../harness/world.ts';

describe('an archive', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open(hostile);
  });
  afterAll(() => world.close());

  runCases('archives', archives, { speed: 'fast', stage: () => world });
});
