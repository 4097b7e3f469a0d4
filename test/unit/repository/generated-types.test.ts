import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { tempDir } from '../../helpers/temp-dir.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const generated = 'packages/shared/src/gen';

it('the types of the agent protocol are those that `npm run generate` makes', () => {
  const { generate } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts as { generate: string };
  expect(generate).toContain(`-O ${generated} `);
  const dir = tempDir();
  const PATH = `${join(root, 'node_modules', '.bin')}:${dirname(process.execPath)}:${process.env.PATH}`;
  execFileSync('sh', ['-c', generate.replace(generated, dir)], { cwd: root, env: { PATH }, timeout: 60_000 });
  expect(filesOf(join(root, generated))).toEqual(filesOf(dir));
});

function filesOf(dir: string): Record<string, string> {
  const files = globSync('**/*.ts', { cwd: dir }).sort();
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(dir, file), 'utf8')]));
}
