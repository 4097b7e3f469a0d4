import { afterAll, beforeAll, describe } from 'vitest';
import { grpc } from '../cases/grpc.ts';
import { http } from '../cases/http.ts';
import { names } from '../cases/names.ts';
import { runCases } from '../harness/run-cases.ts';
import { World } from '../harness/world.ts';

describe('a request', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
  });
  afterAll(() => world.close());

  runCases('names', names, { speed: 'fast', stage: () => ({ world }) });
  runCases('http', http, { speed: 'fast', stage: () => world });
  runCases('grpc', grpc, { speed: 'fast', stage: () => world });
});
