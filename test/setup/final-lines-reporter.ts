import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Reporter, SerializedError, TestCase, TestModule, TestRunEndReason, TestSuite, Vitest } from 'vitest/node';
import { missingByFile } from './missing-requirements.ts';

export interface FinalLinesOptions {
  missingRequirementsFile: string;
  /** Where nothing may be left out: skipped tests count as failed, and fail the run. */
  skipsAreFailures: boolean;
  /** What has failed beside tests, asked at the end. */
  otherFailures?: () => number;
}

/**
 * Ends a run with lines that anybody can read, a machine too: what was left out and for want of what,
 * then the true numbers alone on a line: `812 passed, 0 failed, 3 skipped`.
 */
export class FinalLinesReporter implements Reporter {
  readonly #options: FinalLinesOptions;
  #isFiltered = false;

  constructor(options: FinalLinesOptions) {
    this.#options = options;
  }

  onInit(vitest: Vitest): void {
    // `vitest -t` leaves tests out because a person asked for it.
    this.#isFiltered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    const counts = count(modules, unhandledErrors.length + (this.#options.otherFailures?.() ?? 0));
    if (reason !== 'passed' && counts.failed === 0) counts.failed = 1;
    if (!this.#isFiltered) this.#nameSkipped(modules, counts);
    if (counts.failed > 0) process.exitCode = 1;
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
    console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
  }

  #nameSkipped(modules: readonly TestModule[], counts: Counts): void {
    const { missingRequirementsFile, skipsAreFailures } = this.#options;
    const word = skipsAreFailures ? 'failed, because CI=true allows no skip' : 'skipped';
    for (const suite of skippedSuites(modules, missingByFile(missingRequirementsFile)))
      console.log(`${word}: ${suite}`);
    rmSync(dirname(missingRequirementsFile), { recursive: true, force: true });
    if (!skipsAreFailures) return;
    counts.failed += counts.skipped;
    counts.skipped = 0;
  }
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Failures outside of a test (an import, a hook, an error that nobody handled) are failures too. */
function count(modules: readonly TestModule[], unhandledErrors: number): Counts {
  const counts = { passed: 0, failed: unhandledErrors, skipped: 0 };
  for (const module of modules) {
    if (module.errors().length > 0) counts.failed += 1;
    for (const suite of module.children.allSuites()) if (suite.errors().length > 0) counts.failed += 1;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // Pending at the end: it never ran.
      counts[state === 'pending' ? 'failed' : state] += 1;
    }
  }
  return counts;
}

/** What was left out as a whole, outermost first, each with the reason. */
function skippedSuites(modules: readonly TestModule[], missing: Map<string, Set<string>>): string[] {
  return modules.flatMap((module) => {
    const needs = missing.get(module.moduleId);
    const reason = needs ? `needs ${[...needs].join(', ')}` : module.relativeModuleId;
    return outermostSkipped(module).map((skipped) => `${skipped.fullName} (${reason})`);
  });
}

function outermostSkipped(parent: TestModule | TestSuite): (TestCase | TestSuite)[] {
  return [...parent.children].flatMap((child) => {
    const state = child.type === 'test' ? child.result().state : child.state();
    if (state === 'skipped') return [child];
    return child.type === 'suite' ? outermostSkipped(child) : [];
  });
}
