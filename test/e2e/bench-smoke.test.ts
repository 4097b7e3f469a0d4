import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { PARTS, USAGE } from '../../bench/options.ts';
import { programPath, requires } from '../helpers/requires.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const MAIN = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
const run = promisify(execFile);

describe.runIf(requires('curl'))('npm run bench -- --quick', () => {
  it('measures every part, prints a table of each, and writes the figures as data', { timeout: 120_000 }, async () => {
    const json = join(tempDir(), 'figures.json');
    const { stdout } = await run(process.execPath, [MAIN, '--quick', '--json', json]);
    const { quick, machine, results } = JSON.parse(readFileSync(json, 'utf8'));
    expect([quick, machine.node, Object.keys(results)]).toEqual([true, process.version, [...PARTS]]);
    expect(leavesOf(results).filter((leaf) => leaf === null || leaf === 0)).toEqual([]);
    const firstLines = [
      'download and unpack, ms',
      'KB, ms',
      'agent and children, MiB',
      'what unpacks',
      'last 999 lines',
    ];
    expect(firstLines.filter((text) => !stdout.includes(text))).toEqual([]);
    expect(existsSync(directoryIn(stdout))).toBe(false);
  });

  it('leaves nothing behind when it is interrupted', { timeout: 60_000 }, async () => {
    const child = spawn(process.execPath, [MAIN, '--quick'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    let dir = '';
    for await (const line of createInterface({ input: child.stdout })) {
      dir ||= directoryIn(line);
      if (line.includes('filesystem')) child.kill('SIGINT');
    }
    expect(await ended).toEqual([130, null]);
    expect(existsSync(dir)).toBe(false);
  });

  it('works in a directory of the caller’s choice, and leaves it empty', { timeout: 60_000 }, async () => {
    const dir = tempDir();
    const { stdout } = await run(process.execPath, [MAIN, '--quick', '--only', 'log-tail', '--dir', dir]);
    expect(directoryIn(stdout).startsWith(`${dir}/`)).toBe(true);
    expect(readdirSync(dir)).toEqual([]);
  });
});

it('says which program it lacks to compare with', async () => {
  const bin = tempDir();
  for (const name of ['tar', 'tail', 'sync']) symlinkSync(programPath(name) ?? '', join(bin, name));
  const started = run(process.execPath, [MAIN], { env: { PATH: bin } });
  await expect(started).rejects.toMatchObject({
    code: 1,
    stderr: 'The benchmark compares with programs that are not here: curl.\n',
  });
});

it('says how it is called', async () => {
  const started = run(process.execPath, [MAIN, '--only', 'everything']);
  const expected = `--only everything: expected one of ${PARTS.join(', ')}\n${USAGE}\n`;
  await expect(started).rejects.toMatchObject({ code: 2, stderr: expected });
});

function directoryIn(text: string): string {
  return /^ {2}directory +(.+)$/m.exec(text)?.[1] ?? '';
}

function leavesOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : [value];
}
