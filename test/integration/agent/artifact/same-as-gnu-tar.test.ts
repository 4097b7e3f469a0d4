import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { SMALL_BYTES } from '@sampan/agent/artifact/small-unpacker.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Origin, startOrigin } from '../../../helpers/origin.ts';
import { readTree } from '../../../helpers/read-tree.ts';
import { StagingGround, UNPACKED_BY } from '../../../helpers/staging-ground.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin();
});
afterAll(() => origin.close());

/** Packages of many shapes: sizes around the block, names around the header's field, modes, links, times. */
function growTree(root: string, { longNames }: { longNames: boolean }): void {
  for (const size of [0, 1, 511, 512, 513, 1024, 65_535, 262_144, 262_145, 3_000_000]) {
    write(root, `sizes/${size}.bin`, Buffer.alloc(size, size % 251));
  }
  for (const length of [99, 100, 101, 150]) write(root, `${'d'.repeat(60)}/${'n'.repeat(length - 61)}`, 'name');
  if (longNames) write(root, `${'d'.repeat(40)}/${'n'.repeat(200)}`, 'long');
  if (longNames) write(root, `${`${'深'.repeat(30)}/`.repeat(4)}${'长'.repeat(80)}.txt`, 'long');
  for (const mode of [0o400, 0o444, 0o600, 0o644, 0o755, 0o777, 0o111]) {
    write(root, `modes/${mode.toString(8)}`, 'mode');
    chmodSync(join(root, `modes/${mode.toString(8)}`), mode);
  }
  for (const [name, time] of Object.entries({ epoch: 0, old: 1_000_000_000, half: 1_600_000_000.5 })) {
    write(root, `times/${name}`, 'time');
    utimesSync(join(root, `times/${name}`), time, time);
  }
  for (const name of ['with space', "quo'te", 'back\\slash', '中文', '-dash', 'ünïcode', '#hash', 'a\tb'])
    write(root, `names/${name}`, name);
  mkdirSync(join(root, 'empty/in/empty'), { recursive: true });
  linkSync(join(root, 'modes/644'), join(root, 'hard'));
  linkSync(join(root, 'modes/644'), join(root, 'names/hard too'));
  symlinkSync('modes/644', join(root, 'soft'));
  symlinkSync('../hard', join(root, 'names/up'));
  symlinkSync('nowhere', join(root, 'dangling'));
  symlinkSync('.', join(root, 'itself'));
  symlinkSync('modes', join(root, 'directory'));
  linkSync(join(root, 'soft'), join(root, 'two-names-for-one-symlink'));
  lutimesSync(join(root, 'soft'), 1_234_567_890, 1_234_567_890);
  write(root, 'holes', '');
  truncateSync(join(root, 'holes'), 100_000);
  chmodSync(join(root, 'empty'), 0o700);
  utimesSync(join(root, 'sizes'), 1_500_000_000, 1_500_000_000);
}

function write(root: string, name: string, content: string | Buffer): void {
  mkdirSync(join(root, name, '..'), { recursive: true });
  writeFileSync(join(root, name), content);
}

describe.each(UNPACKED_BY)('%s', (_, expectedBytes) => {
  it.each([
    ['gnu', '.tar.gz', ['.']],
    ['pax', '.tar.gz', ['.']],
    ['ustar', '.tgz', ['.']],
    ['oldgnu', '.tar', ['.']],
    ['v7', '.tar.gz', ['modes', 'times', 'names', 'hard', 'soft', 'empty']],
  ])('unpacks what GNU tar packed as %s into the same tree as GNU tar does', async (format, ending, members) => {
    const dir = tempDir();
    growTree(join(dir, 'tree'), { longNames: format !== 'ustar' && format !== 'v7' });
    const filename = `package${ending}`;
    const packing = [
      '-C',
      join(dir, 'tree'),
      `--format=${format}`,
      ending === '.tar' ? '-cf' : '-czf',
      join(dir, filename),
    ];
    execFileSync('tar', [...packing, '--numeric-owner', '--owner=12345', '--group=12345', '--', ...members]);

    mkdirSync(join(dir, 'expected'));
    execFileSync('sh', [
      '-c',
      'umask 022; exec tar --no-same-owner --no-same-permissions -xf "$0" -C "$1"',
      join(dir, filename),
      join(dir, 'expected'),
    ]);
    const ground = new StagingGround(expectedBytes);
    const { root } = await ground.unpack({
      url: origin.serve(`/${format}`, readFileSync(join(dir, filename))),
      filename,
    });

    const expected = readTree(join(dir, 'expected'));
    const found = readTree(root);
    for (const tree of [expected, found]) {
      for (const [path, entry] of tree) {
        // What the release's owner could not read or write is made usable.
        if (entry.type === 'file') entry.mode |= 0o600;
        // No entry said when `.` or the directories above the named members were changed.
        if (members[0] !== '.' && path === '') entry.mtime = 0;
      }
    }
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    expect(found.size).toBeGreaterThan(20);
    const isSmall = statSync(join(dir, filename)).size <= SMALL_BYTES;
    expect(ground.staged).toHaveLength(expectedBytes !== undefined && isSmall ? 0 : 1);
  });
});
