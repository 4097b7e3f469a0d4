import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { slow } from '../../vitest.config.ts';
import { FinalLinesReporter } from '../setup/final-lines-reporter.ts';
import { FaultTableReporter } from './harness/fault-table-reporter.ts';

const missingRequirementsFile = join(tmpdir(), `sampan-tests-${randomUUID()}`, 'missing.jsonl');

const table = new FaultTableReporter(fileURLToPath(new URL('.', import.meta.url)));

/** Every input and fault, the slow ones too: `npm run test:faults`. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/faults/{fast,slow}/**/*.test.ts', ...slow],
    reporters: [
      'default',
      table,
      new FinalLinesReporter({
        missingRequirementsFile,
        skipsAreFailures: process.env.CI === 'true',
        otherFailures: () => table.missing,
      }),
    ],
    provide: { missingRequirementsFile },
    pool: 'forks',
    // Two for two cores, and one while others wait for processes to start and for time to pass.
    maxWorkers: 3,
    expect: { poll: { timeout: 20_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
