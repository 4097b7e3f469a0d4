import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { TestModule, Vitest } from 'vitest/node';
import { tempDir } from '../../helpers/temp-dir.ts';
import { FaultTableReporter } from '../harness/fault-table-reporter.ts';
import { type Group, registry, skipReason } from '../registry/registry.ts';

interface Ran {
  group: string;
  name: string;
  state: 'passed' | 'failed' | 'skipped';
}

const all: Ran[] = (Object.keys(registry) as Group[])
  .flatMap((group) => registry[group].map((name) => ({ group, name, state: 'passed' as const })))
  .filter(({ group, name }) => skipReason(group, name) === undefined);

/** What the reporter makes of a whole run of these. */
function report(tests: readonly Ran[]) {
  const said = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  onTestFinished(() => said.mockRestore());
  const dir = tempDir();
  const reporter = new FaultTableReporter(dir);
  reporter.onInit({ config: {} } as Vitest);
  const cases = tests.map(({ group, name, state }) => ({
    name,
    meta: () => (state === 'passed' ? { fault: { group, name, outcome: `of ${name}`, invariants: 'I1–I5' } } : {}),
    result: () => ({ state }),
    diagnostic: () => ({ duration: 1400 }),
  }));
  reporter.onTestRunEnd([{ children: { allTests: () => cases } } as unknown as TestModule], [], 'passed');
  const table = join(dir, 'README.md');
  return {
    missing: reporter.missing,
    said: said.mock.calls.flat(),
    table: existsSync(table) ? readFileSync(table, 'utf8') : undefined,
  };
}

it('a run in which every name has passed writes the table', () => {
  const { missing, table } = report(all);
  expect(missing).toBe(0);
  expect(table).toContain('| DNS down | of DNS down | I1–I5 | 1 |\n');
  expect(table).toMatch(/\| host reboots mid-deploy \| not tried: needs a machine to reboot: /);
});

it('a name without a test is a failure that is named, and no table is written', () => {
  const { missing, said, table } = report(all.filter(({ name }) => name !== 'DNS down'));
  expect({ missing, said, table }).toEqual({
    missing: 1,
    said: ['neither a case nor a reason to skip it: network: DNS down'],
    table: undefined,
  });
});

it('a case that failed, or that this machine cannot try, leaves the table as it was', () => {
  for (const state of ['failed', 'skipped'] as const) {
    const { missing, table } = report(all.map((ran) => (ran.name === 'DNS down' ? { ...ran, state } : ran)));
    expect({ missing, table }).toEqual({ missing: 0, table: undefined });
  }
});
