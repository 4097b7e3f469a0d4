import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { FinalLinesReporter } from '../setup/final-lines-reporter.ts';
import { FaultTableReporter } from './harness/fault-table-reporter.ts';

const missingRequirementsFile = join(tmpdir(), `sampan-tests-${randomUUID()}`, 'missing.jsonl');

/** Every input and fault, the slow ones too: `npm run test:faults`. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/faults/{fast,slow}/**/*.test.ts'],
    reporters: [
      'default',
      new FaultTableReporter(fileURLToPath(new URL('.', import.meta.url))),
      new FinalLinesReporter({ missingRequirementsFile, skipsAreFailures: process.env.CI === 'true' }),
    ],
    provide: { missingRequirementsFile },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
