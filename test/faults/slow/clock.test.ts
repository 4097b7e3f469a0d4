import { describe } from 'vitest';
import { requires } from '../../helpers/requires.ts';
import { clock } from '../cases/clock.ts';
import { runCases } from '../harness/run-cases.ts';

describe.runIf(requires('libfaketime'))('the clock of an agent or of a controller', () => {
  runCases('clock', clock, { speed: 'slow', stage: () => undefined });
});
