import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Every line where the linter, the formatter or the type checker is told to look away: file and rule, with the reason. */
const lines: Record<string, string> = {};

/** Every rule that biome.json turns off for some files, with the reason. */
const files: Record<string, string> = {
  'style/noProcessEnv: **/main.ts': 'the environment is read where a process starts',
  'style/noProcessEnv: **/config.ts': 'and where its settings are made of it',
  'style/noProcessEnv: test/**': 'tests pass the environment on to the processes that they start',
  'style/noProcessEnv: bench/**': 'likewise',
  'style/noProcessEnv: demo/**': 'likewise',
  'style/noProcessEnv: *.config.ts': 'vitest.config.ts asks whether this is CI',
  'suspicious/noConsole: **/main.ts': 'the terminal is what a program is started from',
  'suspicious/noConsole: bench/**': 'prints its table',
  'suspicious/noConsole: demo/**': 'prints its story',
  'suspicious/noConsole: test/**': 'the reporter prints the last lines of a run',
  'suspicious/noConsole: **/*.mjs': 'the starters tell an old Node what they need',
  'complexity/noExcessiveLinesPerFunction: test/**': 'a describe block is one function',
  'complexity/noExcessiveLinesPerFunction: bench/**': 'a measurement reads from top to bottom',
  'style/noNonNullAssertion: test/**': 'what a test just made is there, or the test fails',
  'style/noNonNullAssertion: bench/**': 'likewise',
};

/** Written apart, so that this file is not one of those found. */
const marks = new RegExp(`${'biome-'}ignore(?:-\\w+)? (\\S+?):|@${'ts-'}(expect-error|ignore|nocheck)`, 'g');

it('every line that is excepted from a rule is listed here with its reason, and no other', () => {
  const sources = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
    .toString()
    .split('\0')
    .filter((file) => /\.(ts|mts|mjs|js)$/.test(file) && !file.startsWith('packages/shared/src/gen/'));
  expect(sources.length).toBeGreaterThan(50);
  const found = sources.flatMap((file) =>
    [...readText(file).matchAll(marks)].map(([, rule, directive]) => `${file}: ${rule ?? directive}`),
  );
  expect(found.sort()).toEqual(Object.keys(lines).sort());
});

interface BiomeConfig {
  linter: { rules: Record<string, unknown> };
  overrides: { includes: string[]; linter?: { rules: Record<string, unknown> } }[];
}

it('every rule that is turned off is listed here with its reason, and no other', () => {
  const { linter, overrides } = JSON.parse(readText('biome.json')) as BiomeConfig;
  expect(rulesTurnedOff(linter.rules)).toEqual([]);
  const found = overrides.flatMap(({ includes, linter }) =>
    rulesTurnedOff(linter?.rules ?? {}).flatMap((rule) => includes.map((include) => `${rule}: ${include}`)),
  );
  expect(found.sort()).toEqual(Object.keys(files).sort());
});

function rulesTurnedOff(groups: Record<string, unknown>): string[] {
  return Object.entries(groups).flatMap(([group, rules]) =>
    Object.entries(rules as Record<string, unknown>)
      .filter(([, setting]) => setting === 'off')
      .map(([rule]) => `${group}/${rule}`),
  );
}

function readText(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}
