import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { FinalLinesReporter } from './test/setup/final-lines-reporter.ts';

/** One a run: several may run at once. Written by `requires()` in the workers, read and removed by the reporter. */
const missingRequirementsFile = join(tmpdir(), `sampan-tests-${randomUUID()}`, 'missing.jsonl');

/** The tests of one directory. Groups run one after the other, so that tests of whole systems have the machine to themselves. */
const group = (name: string, groupOrder: number): TestProjectInlineConfiguration => ({
  extends: true,
  test: { name, include: [`test/${name}/**/*.test.ts`], sequence: { groupOrder } },
});

export default defineConfig({
  test: {
    reporters: [
      'default',
      new FinalLinesReporter({ missingRequirementsFile, skipsAreFailures: process.env.CI === 'true' }),
    ],
    provide: { missingRequirementsFile },
    // Processes, not threads: tests look at the descriptors, the umask and the working directory of their own process.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      group('unit', 0),
      group('integration', 1),
      { ...group('e2e', 2), test: { ...group('e2e', 2).test, fileParallelism: false } },
    ],
  },
});
