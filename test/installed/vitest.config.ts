import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { FinalLinesReporter } from '../setup/final-lines-reporter.ts';

const missingRequirementsFile = join(tmpdir(), `sampan-tests-${randomUUID()}`, 'missing.jsonl');

/** What hosts install, in machines that boot a real systemd: `npm run test:installed`. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/installed/**/*.test.ts'],
    globalSetup: ['test/installed/build-packages.ts'],
    reporters: [
      'default',
      new FinalLinesReporter({ missingRequirementsFile, skipsAreFailures: process.env.CI === 'true' }),
    ],
    provide: { missingRequirementsFile },
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
