import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Upgrade } from '../../../../packages/agent/src/upgrade/upgrade.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const signal = new AbortController().signal;

/** An agent's state_dir in which an upgrade has left these files. */
function stateDirWith(files: Record<string, string>): string {
  const dir = tempDir();
  mkdirSync(join(dir, 'upgrade'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, 'upgrade', name), text);
  return dir;
}

it('is not for an agent that was not installed: nothing is written', async () => {
  const chunks = (async function* () {
    yield Buffer.from('package');
  })();
  await expect(new Upgrade(tempDir()).install({ sha256: 'ab', bytes: 7 }, chunks, signal)).rejects.toMatchObject({
    code: 'UPGRADE_UNAVAILABLE',
    params: { reason: 'it was not installed from its package' },
  });
});

it.each([
  [{}, { state: '', detail: '' }],
  [{ log: 'version 2 is installed\n' }, { state: 'installing', detail: '' }],
  [
    { log: 'version 2 is installed\nactive\n', exit: '0\n' },
    { state: 'installed', detail: '' },
  ],
  [
    { log: 'a\nversion 2 does not start; 1 runs again\n', exit: '1\n' },
    { state: 'failed', detail: 'a\nversion 2 does not start; 1 runs again' },
  ],
])('tells how the last one stands, from what it left behind: %j', async (files, expected) => {
  expect(await new Upgrade(stateDirWith(files)).state()).toEqual(expected);
});
