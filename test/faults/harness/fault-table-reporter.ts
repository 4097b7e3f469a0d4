import { globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestModule, TestRunEndReason, Vitest } from 'vitest/node';
import { registry, skipReason } from '../registry/registry.ts';
import type { Report } from './run-cases.ts';

interface Row extends Report {
  group: string;
  name: string;
  seconds: number;
}

/**
 * Writes the table of what was tried and what came of it, and fails a run in which a name of the registry has neither a
 * case nor a reason why it is skipped. A run of a few files, or of a few tests, writes nothing; nor does one in which
 * something failed, or could not be tried on this machine.
 */
export class FaultTableReporter implements Reporter {
  readonly #dir: string;
  #isFiltered = false;

  /** `dir`: where the tests are, and the table goes. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  onInit({ config }: Vitest): void {
    this.#isFiltered = config.testNamePattern !== undefined;
  }

  /** How many names had neither; known when the run has ended. */
  missing = 0;

  onTestRunEnd(modules: readonly TestModule[], _errors: unknown, _reason: TestRunEndReason): void {
    const files = globSync('{fast,slow}/**/*.test.ts', { cwd: this.#dir });
    if (this.#isFiltered || modules.length < files.length) return;
    const rows = modules.flatMap(rowsOf);
    const untried = namesOf().filter(
      ({ group, name }) =>
        skipReason(group, name) === undefined && !rows.some((row) => row.group === group && row.name === name),
    );
    const known = new Set(modules.flatMap((module) => [...module.children.allTests()].map(({ name }) => name)));
    const missing = untried.filter(({ name }) => !known.has(name));
    for (const { group, name } of missing) console.log(`neither a case nor a reason to skip it: ${group}: ${name}`);
    this.missing = missing.length;
    if (untried.length === 0) writeFileSync(join(this.#dir, 'README.md'), tableOf(rows));
  }
}

function rowsOf(module: TestModule): Row[] {
  return [...module.children.allTests()].flatMap((test) => {
    const { fault } = test.meta();
    if (!fault || test.result().state !== 'passed') return [];
    return [{ ...fault, seconds: (test.diagnostic()?.duration ?? 0) / 1000 }];
  });
}

function namesOf(): { group: string; name: string }[] {
  return Object.entries(registry).flatMap(([group, names]) => names.map((name) => ({ group, name })));
}

function tableOf(rows: readonly Row[]): string {
  const groups = Object.entries(registry).map(([group, names]) => {
    const lines = names.map((name) => {
      const reason = skipReason(group, name);
      if (reason !== undefined) return line([name, `not tried: ${reason}`, '', '']);
      const row = rows.find((candidate) => candidate.group === group && candidate.name === name);
      return line([name, row?.outcome ?? '', row?.invariants ?? '', seconds(row?.seconds ?? 0)]);
    });
    return `## ${group}\n\n${line(['case', 'outcome', 'invariants', 'seconds'])}|---|---|---|---|\n${lines.join('')}`;
  });
  return `${INTRODUCTION}\n${groups.join('\n')}\n${pointsOf(rows)}`;
}

const INTRODUCTION = `# What Sampan was tried against

Written by the run itself, \`npm run test:faults\`; do not edit. Each input and fault, what its caller was told, which
invariants were held against the disk and the answer afterwards, and how long it took.

I1 the link always resolves to a whole release · I2 no half release is ever listed · I3 a retry converges · I4 the caller
learns the truth, host by host · I5 nothing unrelated restarts or changes. Besides: nothing is left in staging, no
temporary link, no child; the agent lives.
`;

function pointsOf(rows: readonly Row[]): string {
  const parts = rows
    .filter(({ points }) => points !== undefined)
    .map(
      ({ group, name, points = [] }) =>
        `### ${group}: ${name}\n\n${line(['point', 'outcome'])}|---|---|\n${points.map(({ point, outcome }) => line([code(point), outcome])).join('')}`,
    );
  return parts.length === 0 ? '' : `## Point by point\n\n${parts.join('\n')}`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;')).join(' | ')} |\n`;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** Whole seconds: the table changes when something does, not with each run. */
function seconds(value: number): string {
  return value < 1 ? '<1' : String(Math.round(value));
}
