import { describe } from 'vitest';
import { requires } from '../../helpers/requires.ts';
import { host } from '../cases/host.ts';
import { runCases } from '../harness/run-cases.ts';

describe.runIf(requires('supervisord'))('a host', () => {
  runCases('host', host, { speed: 'slow', stage: () => undefined });
});
