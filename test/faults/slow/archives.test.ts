import { afterAll, beforeAll, describe } from 'vitest';
import { archives, many } from '../cases/archives.ts';
import { runCases } from '../harness/run-cases.ts';
import { World } from '../harness/world.ts';

describe('an archive of very many files', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open(many);
  });
  afterAll(() => world.close());

  runCases('archives', archives, { speed: 'slow', stage: () => world });
});
