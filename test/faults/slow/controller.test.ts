import { describe } from 'vitest';
import { requires } from '../../helpers/requires.ts';
import { controller } from '../cases/controller.ts';
import { runCases } from '../harness/run-cases.ts';

describe.runIf(requires('strace'))('the controller is killed -9, and comes back at once', () => {
  runCases('controller', controller, { speed: 'slow', stage: () => undefined });
});
