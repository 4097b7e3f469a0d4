import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { PARTS, USAGE } from '../../bench/fleet/options.ts';
import { SCALING_PAGE, withTables } from '../../bench/fleet/write-docs.ts';
import { programPath, requires } from '../helpers/requires.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const MAIN = fileURLToPath(new URL('../../bench/fleet/main.ts', import.meta.url));
const run = promisify(execFile);

describe('npm run bench:fleet -- --quick', () => {
  it('measures a controller with more and more agents, and leaves its directory empty', async () => {
    const dir = tempDir();
    const json = join(tempDir(), 'figures.json');
    const { stdout } = await run(process.execPath, [MAIN, '--quick', '--only', 'growth', '--json', json, '--dir', dir]);
    const { quick, machine, results } = JSON.parse(readFileSync(json, 'utf8'));
    expect([quick, machine.node, Object.keys(results)]).toEqual([true, process.version, ['growth']]);
    expect(results.growth.map(({ agents }: { agents: number }) => agents)).toEqual([4, 8]);
    expect(leavesOf(results).filter((leaf) => leaf === null || leaf === 0)).toEqual([]);
    expect(stdout).toContain('version, connected: all, ms');
    expect(readdirSync(dir)).toEqual([]);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const child = spawn(process.execPath, [MAIN, '--quick'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    let dir = '';
    for await (const line of createInterface({ input: child.stdout })) {
      dir ||= /^ {2}directory +(.+)$/.exec(line)?.[1] ?? '';
      if (line.includes('filesystem')) child.kill('SIGINT');
    }
    expect(await ended).toEqual([130, null]);
    expect(existsSync(dir)).toBe(false);
  });

  it('says what it leaves out, and what to install for it', async () => {
    const args = [MAIN, '--quick', '--only', 'beside', '--dir', tempDir()];
    const { stdout } = await run(process.execPath, args, { env: { PATH: pathWith(['tar']) } });
    expect(stdout).toContain('Sampan: POST /deploy');
    expect(stdout).toMatch(
      /^ {2}Left out: Ansible: .+ ssh, ansible-playbook are not here; on Debian and Ubuntu: apt-get install .+$/m,
    );
  });
});

describe.runIf(requires('sshd', 'ssh', 'curl', 'GNU tar'))('npm run bench:fleet, beside ssh', () => {
  it('brings a release by either, and ends the sshd that it started', async () => {
    const dir = tempDir();
    const json = join(tempDir(), 'figures.json');
    await run(process.execPath, [MAIN, '--quick', '--only', 'beside', '--json', json, '--dir', dir], {
      // Without Ansible, which takes its time.
      env: { PATH: pathWith(['ssh', 'ssh-keygen', 'curl', 'tar', 'gzip', 'sh', 'rm']) },
    });
    const { ways } = JSON.parse(readFileSync(json, 'utf8')).results.beside;
    expect(Object.keys(ways)).toEqual(expect.arrayContaining(['sampan', 'sshPersistent', 'ssh']));
    expect(leavesOf(ways).filter((leaf) => typeof leaf !== 'number' || leaf <= 0)).toEqual([]);
    expect(commandLines().filter((line) => line.includes(dir))).toEqual([]);
  });
});

it('says how it is called', async () => {
  const started = run(process.execPath, [MAIN, '--only', 'everything']);
  const expected = `--only everything: expected one of ${PARTS.join(', ')}\n${USAGE}\n`;
  await expect(started).rejects.toMatchObject({ code: 2, stderr: expected });
});

it('writes down whole runs alone', async () => {
  const started = run(process.execPath, [MAIN, '--quick', '--write-docs']);
  await expect(started).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('only a whole run') });
});

describe('docs/scaling.md', () => {
  const machine = {
    cores: 2,
    cpu: 'a cpu',
    memoryGib: 8,
    kernel: '6',
    node: 'v26',
    curl: '',
    tar: '',
    filesystem: 'ext4',
  };

  it('has a place for the tables, and takes those of another run instead', () => {
    const page = readFileSync(SCALING_PAGE, 'utf8');
    const tables = [{ head: ['agents', '10'], rows: [['all, ms', '1.50']], notes: ['A note.'] }];
    const once = withTables(page, tables, machine);
    expect(once).toContain('| agents | 10 |\n|---|---:|\n| all, ms | 1.50 |\n\nA note.');
    expect(once).toContain('2 cores (a cpu), 8 GiB, Linux 6, Node v26');
    expect(withTables(once, tables, machine)).toBe(once);
    expect(once.split('\n').filter((line) => line.startsWith('#'))).toEqual(
      page.split('\n').filter((line) => line.startsWith('#')),
    );
  });

  it('is not written where it lacks that place', () => {
    expect(() => withTables('# A page\n', [], machine)).toThrow('docs/scaling.md has no place for tables');
  });
});

/** A PATH with these programs and no others. */
function pathWith(names: readonly string[]): string {
  const bin = tempDir();
  for (const name of names) symlinkSync(programPath(name) ?? '', join(bin, name));
  return bin;
}

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        // Ended meanwhile.
        return '';
      }
    });
}

function leavesOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : [value];
}
