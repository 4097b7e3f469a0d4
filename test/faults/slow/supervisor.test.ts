import { afterAll, beforeAll, describe } from 'vitest';
import { requires } from '../../helpers/requires.ts';
import { names } from '../cases/names.ts';
import { supervisorTexts } from '../cases/supervisor-texts.ts';
import { runCases } from '../harness/run-cases.ts';
import { openSupervisedWorld, type SupervisedWorld } from '../harness/supervised-world.ts';

describe.runIf(requires('supervisord'))('a text for supervisor', () => {
  let supervised: SupervisedWorld;
  beforeAll(async () => {
    supervised = await openSupervisedWorld();
  });
  afterAll(() => supervised.close());

  runCases('supervisor texts', supervisorTexts, { speed: 'slow', stage: () => supervised });
  runCases('names', names, { speed: 'slow', stage: () => ({ world: supervised.world, supervised }) });
});
