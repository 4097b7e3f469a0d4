import { afterAll, beforeAll, describe } from 'vitest';
import { impatient, origin } from '../cases/origin.ts';
import { urls } from '../cases/urls.ts';
import { runCases } from '../harness/run-cases.ts';
import { World } from '../harness/world.ts';

describe('an origin, and the URL that leads to it', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open(impatient);
  });
  afterAll(() => world.close());

  runCases('origin', origin, { speed: 'fast', stage: () => world });
  runCases('urls', urls, { speed: 'fast', stage: () => world });
});
