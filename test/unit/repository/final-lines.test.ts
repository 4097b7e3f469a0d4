import { spawnSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { tempDir } from '../../helpers/temp-dir.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const leavesSomethingOut = `
  import { describe, it } from 'vitest';
  import { recordMissing } from '${root}test/setup/missing-requirements.ts';
  import { expect, inject } from 'vitest';
  recordMissing(inject('missingRequirementsFile'), { testFile: expect.getState().testPath, missing: ['nginx', 'php-fpm'] });
  describe.runIf(false)('php switch', () => { it('a', () => {}); it('b', () => {}); });
  describe('the rest', () => { it('runs', () => {}); it.runIf(false)('is left out', () => {}); });
`;

/** Runs these test files as the project runs its own; gives the exit status and what follows vitest's own summary. */
function run(files: Record<string, string>, more: { CI?: string; args?: string[] } = {}) {
  const dir = tempDir();
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  writeFileSync(
    join(dir, 'vitest.config.ts'),
    `
    import { FinalLinesReporter } from '${root}test/setup/final-lines-reporter.ts';
    const missingRequirementsFile = ${JSON.stringify(join(dir, 'lists', 'missing.jsonl'))};
    const skipsAreFailures = process.env.CI === 'true';
    export default { test: {
      reporters: ['default', new FinalLinesReporter({ missingRequirementsFile, skipsAreFailures })],
      provide: { missingRequirementsFile },
    } };
  `,
  );
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, `${name}.test.ts`), content);
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const ended = spawnSync(process.execPath, [vitest, 'run', ...(more.args ?? [])], {
    cwd: dir,
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH: process.env.PATH, HOME: dir, CI: more.CI ?? '' },
  });
  const lines = ended.stdout.trimEnd().split('\n');
  return { status: ended.status, lines: lines.slice(lines.findIndex((line) => line.includes('Duration')) + 2) };
}

it('ends with the numbers alone on a line', () => {
  const passing = `import { it } from 'vitest'; it('a', () => {}); it('b', () => {});`;
  expect(run({ passing })).toEqual({ status: 0, lines: ['2 passed, 0 failed'] });
});

it('names what was left out, and for want of what', () => {
  expect(run({ leavesSomethingOut })).toEqual({
    status: 0,
    lines: [
      'skipped: php switch (needs nginx, php-fpm)',
      'skipped: the rest > is left out (needs nginx, php-fpm)',
      '1 passed, 0 failed, 3 skipped',
    ],
  });
});

it('fails where CI=true and something was left out', () => {
  expect(run({ leavesSomethingOut }, { CI: 'true' })).toEqual({
    status: 1,
    lines: [
      'failed, because CI=true allows no skip: php switch (needs nginx, php-fpm)',
      'failed, because CI=true allows no skip: the rest > is left out (needs nginx, php-fpm)',
      '1 passed, 3 failed',
    ],
  });
});

it('does not name the tests that a person filtered out', () => {
  expect(run({ leavesSomethingOut }, { CI: 'true', args: ['-t', 'runs'] })).toEqual({
    status: 0,
    lines: ['1 passed, 0 failed, 3 skipped'],
  });
});

it('counts what fails outside of a test as failed', () => {
  const test = `import { it } from 'vitest'; it('fails', () => { throw new Error('as it should'); });`;
  const broken = `import './missing.ts';`;
  const hook = `import { beforeAll, describe, it } from 'vitest';
    describe('a suite', () => { beforeAll(() => { throw new Error('as it should'); }); it('is not reached', () => {}); });`;
  const unhandled = `import { it } from 'vitest'; it('a', () => void Promise.reject(new Error('as it should')));`;
  expect(run({ test }).lines).toEqual(['0 passed, 1 failed']);
  expect(run({ broken }).lines).toEqual(['0 passed, 1 failed']);
  expect(run({ unhandled })).toEqual({ status: 1, lines: ['1 passed, 1 failed'] });
  const { status, lines } = run({ hook });
  expect([status, lines.at(-1)]).toEqual([1, '0 passed, 1 failed, 1 skipped']);
});
