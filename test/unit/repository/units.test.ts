import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { requires } from '../../helpers/requires.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

const packaging = fileURLToPath(new URL('../../../packaging/', import.meta.url));

describe.runIf(requires('systemd-analyze'))('a unit', () => {
  it.each(['agent', 'controller'])('of the %s is one that systemd understands', (program) => {
    const unit = readFileSync(join(packaging, program, `sampan-${program}.service`), 'utf8');
    const copy = join(tempDir(), `sampan-${program}.service`);
    // The program is not installed here.
    writeFileSync(copy, unit.replace(/^ExecStart=.*$/m, 'ExecStart=/bin/true'));
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', copy], { encoding: 'utf8' });
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
  });
});
