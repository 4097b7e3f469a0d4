import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { FinalLinesReporter } from './test/setup/final-lines-reporter.ts';

/** One a run: several may run at once. Written by `requires()` in the workers, read and removed by the reporter. */
const missingRequirementsFile = join(tmpdir(), `sampan-tests-${randomUUID()}`, 'missing.jsonl');

/** Tests that take default ports or hold a deadline: one at a time, when all others have ended. */
const alone = ['dead-hosts', 'readme-commands'].map((name) => `test/e2e/${name}.test.ts`);

/** Whole systems that take their time: `npm run test:faults` runs them, so that `npm test` stays under six minutes. */
export const slow = [
  'bench-fleet-smoke',
  'demo',
  'monitoring',
  'moving-from-ssh',
  'neighbours',
  'rollout-strategies',
  'supervisor',
  'thousand-hosts',
].map((name) => `test/e2e/${name}.test.ts`);

type ProjectConfig = NonNullable<TestProjectInlineConfiguration['test']>;

/** Groups run one after the other, so that tests of whole systems do not share the machine with hundreds of small ones. */
function group(name: string, test: ProjectConfig): TestProjectInlineConfiguration {
  return { extends: true, test: { name, include: [`test/${name}/**/*.test.ts`], ...test } };
}

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
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One second, the default, is what a loaded machine takes to start a process.
    expect: { poll: { timeout: 20_000 } },
    projects: [
      group('unit', { sequence: { groupOrder: 0 } }),
      // Supervisor's waits make most of their time.
      group('integration', { sequence: { groupOrder: 1 }, maxWorkers: 4 }),
      // Those that are quick; the rest is `npm run test:faults`.
      group('faults', { sequence: { groupOrder: 1 }, maxWorkers: 4, include: ['test/faults/fast/**/*.test.ts'] }),
      group('e2e', { sequence: { groupOrder: 2 }, maxWorkers: 3, exclude: [...alone, ...slow] }),
      group('alone', { sequence: { groupOrder: 3 }, include: alone, fileParallelism: false }),
    ],
  },
});
