import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { tempDir } from '../../helpers/temp-dir.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What acts as soon as it is loaded: agent and controller are started below, the unpacker by every deploy in the tests. */
const programs = ['packages/agent/src/main.ts', 'packages/agent/src/unpack/main.ts', 'packages/controller/src/main.ts'];

/** Enums and type imports without `type` pass Vitest and fail under Node's own type stripping. */
it('every file of the packages loads under Node itself', async () => {
  const modules = globSync('packages/*/src/**/*.ts', { cwd: root }).filter((file) => !programs.includes(file));
  expect(modules.length).toBeGreaterThan(50);
  const importAll = `
    for (const file of ${JSON.stringify(modules)}) {
      await import(${JSON.stringify(`file://${root}`)} + file).catch((error) => console.log(file, error));
    }
    console.log('all were tried');
    process.exit(0);
  `;
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', importAll], {
    cwd: tempDir(),
    timeout: 20_000,
  });
  expect({ stdout, stderr }).toEqual({ stdout: 'all were tried\n', stderr: '' });
});

it.each(['agent', 'controller'])('the %s starts under Node itself', async (name) => {
  const { stdout, stderr } = await run(process.execPath, [`packages/${name}/bin/sampan-${name}.mjs`, '--help'], {
    cwd: root,
    timeout: 20_000,
  });
  expect(stderr).toBe('');
  expect(stdout).toContain(`Usage: sampan-${name} [options]`);
});
