import { describe } from 'vitest';
import { concurrency } from '../cases/concurrency.ts';
import { runCases } from '../harness/run-cases.ts';

describe('at one time', () => {
  runCases('concurrency', concurrency, { speed: 'slow', stage: () => undefined });
});
