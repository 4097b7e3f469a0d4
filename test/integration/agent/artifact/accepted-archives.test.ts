import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { verifyTree } from '@sampan/agent/releases/tree-file.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { directory, file, gnuLong, hardLink, pax, symlink, tar, tarGz } from '../../../helpers/archives.ts';
import { type Origin, startOrigin } from '../../../helpers/origin.ts';
import { requires } from '../../../helpers/requires.ts';
import { StagingGround, UNPACKED_BY, type Unpacked } from '../../../helpers/staging-ground.ts';

let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin();
});
afterAll(() => origin.close());

type Request = Partial<Parameters<StagingGround['fetch']>[0]>;

/** What a tree holds: text of files, targets of links, `/` for directories; modes and owners as asked. */
function shapeOf(root: string): Record<string, string> {
  return Object.fromEntries(
    (readdirSync(root, { recursive: true }) as string[]).sort().map((name) => [name, contentOf(join(root, name))]),
  );
}

function contentOf(path: string): string {
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  return stats.isDirectory() ? '/' : readFileSync(path, 'utf8');
}

function modeOf(...path: string[]): string {
  return (lstatSync(join(...path)).mode & 0o7777).toString(8);
}

describe.each(UNPACKED_BY)('unpacked by %s', (_, expectedBytes) => {
  async function unpack(bytes: Buffer, request: Request = {}): Promise<Unpacked> {
    const ground = new StagingGround(expectedBytes);
    const unpacked = await ground.unpack({ url: origin.serve('/a', bytes), ...request });
    expect(ground.staged).toHaveLength(expectedBytes === undefined ? 1 : 0);
    expect(await verifyTree(unpacked.treeFile, unpacked.root, new AbortController().signal)).toBeUndefined();
    return unpacked;
  }

  describe('modes and owners', () => {
    it('drops setuid, setgid, sticky and writing for others', async () => {
      const { root } = await unpack(
        tarGz(
          file('suid', '', { mode: 0o4755 }),
          file('sgid', '', { mode: 0o2755 }),
          file('open', '', { mode: 0o666 }),
          directory('tmp', { mode: 0o1777 }),
        ),
      );
      expect(['suid', 'sgid', 'open', 'tmp'].map((name) => modeOf(root, name))).toEqual(['755', '755', '644', '755']);
    });

    it('makes a directory and a file of mode 0 usable', async () => {
      const { root } = await unpack(tarGz(directory('d', { mode: 0 }), file('d/f', 'text', { mode: 0 })));
      expect([modeOf(root, 'd'), modeOf(root, 'd/f')]).toEqual(['700', '600']);
      expect(shapeOf(root)).toEqual({ d: '/', 'd/f': 'text' });
    });

    it("takes a directory's last mode, whether it came before or after what is in it", async () => {
      const { root } = await unpack(
        tarGz(
          file('d/f'),
          directory('d', { mode: 0o700 }),
          directory('./', { mode: 0o750 }),
          directory('e', { mode: 0o711 }),
        ),
      );
      expect([modeOf(root), modeOf(root, 'd'), modeOf(root, 'e')]).toEqual(['750', '700', '711']);
    });

    it("gives foreign ids to nobody: entries belong to the agent's user", async () => {
      const { root } = await unpack(tarGz(file('f', '', { uid: 1234, gid: 1234 })));
      expect(lstatSync(join(root, 'f')).uid).toBe(process.getuid?.());
    });

    it.runIf(requires('root'))('gives every entry to the owner that is configured', async () => {
      const { root, contentDir } = await unpack(
        tarGz(directory('d'), file('d/f'), file('i/f'), symlink('l', 'd'), hardLink('h', 'd/f')),
        { owner: { uid: 65534, gid: 65533 } },
      );
      for (const name of ['', 'd', 'd/f', 'i', 'i/f', 'l', 'h']) {
        const { uid, gid } = lstatSync(join(root, name));
        expect({ name, uid, gid }).toEqual({ name, uid: 65534, gid: 65533 });
      }
      expect(contentDir).toBe(root);
    });

    it.runIf(requires('root'))('gives a bare file to the owner too', async () => {
      const { root } = await unpack(Buffer.from('a jar'), { filename: 'app.jar', owner: { uid: 65534, gid: 65533 } });
      const { uid, gid } = lstatSync(root);
      expect({ uid, gid, mode: modeOf(root) }).toEqual({ uid: 65534, gid: 65533, mode: '644' });
    });
  });

  describe('names', () => {
    it('keeps apart what differs in case only, or looks the same', async () => {
      const { root } = await unpack(
        tarGz(file('F', '1'), file('f', '2'), file('ß', '3'), file('ss', '4'), file('é', '5'), file('e\u0301', '6')),
      );
      expect(shapeOf(root)).toEqual({ F: '1', f: '2', ß: '3', ss: '4', é: '5', 'e\u0301': '6' });
    });

    it('understands ./, //, a slash at the end, and files marked as directories by it', async () => {
      const { root } = await unpack(tarGz(directory('./'), directory('.//d//'), file('./d/./f', '1'), file('e/')));
      expect(shapeOf(root)).toEqual({ d: '/', 'd/f': '1', e: '/' });
    });

    it('takes long names from GNU, PAX and ustar, also in Chinese and across chunks', async () => {
      const long = `${'目录'.repeat(40)}/${'文件'.repeat(40)}.txt`;
      const { root } = await unpack(
        tarGz(
          gnuLong(`gnu/${long}`),
          file('cut/'),
          pax({ path: `pax/${long}` }),
          file('cut', 'two'),
          file('f', 'three', { prefix: 'ustar/prefix' }),
          gnuLong('t'.repeat(150), 'K'),
          symlink('link', 'cut'),
        ),
      );
      expect(readFileSync(join(root, 'gnu', long), 'utf8')).toBe('');
      expect(readFileSync(join(root, 'pax', long), 'utf8')).toBe('two');
      expect(readFileSync(join(root, 'ustar/prefix/f'), 'utf8')).toBe('three');
      expect(readlinkSync(join(root, 'link'))).toBe('t'.repeat(150));
    });

    it('takes names with newlines, backslashes and dashes as they are', async () => {
      const { root } = await unpack(
        tarGz(file('-rf', '1'), file('a\\b', '2'), pax({ path: 'new\nline' }), file('x', '3')),
      );
      expect(shapeOf(root)).toEqual({ '-rf': '1', 'a\\b': '2', 'new\nline': '3' });
    });
  });

  describe('a path that comes twice', () => {
    const twice: Record<string, [Buffer[], Record<string, string>]> = {
      'file, file': [[file('a', 'old'), file('a', 'new')], { a: 'new' }],
      'file, file, with another name for the first': [
        [file('a', 'old'), hardLink('b', 'a'), file('a', 'new')],
        { a: 'new', b: 'old' },
      ],
      'file, directory': [[file('a'), directory('a'), file('a/b', 'new')], { a: '/', 'a/b': 'new' }],
      'file, symlink': [[file('a', 'old'), file('b', 'b'), symlink('a', 'b')], { a: '-> b', b: 'b' }],
      'file, hard link': [[file('a', 'old'), file('b', 'new'), hardLink('a', 'b')], { a: 'new', b: 'new' }],
      'empty directory, file': [[directory('a'), file('a', 'new')], { a: 'new' }],
      'empty directory, symlink': [[directory('a'), symlink('a', 'b')], { a: '-> b' }],
      'directory, directory': [[directory('a'), file('a/b', '1'), directory('a')], { a: '/', 'a/b': '1' }],
      'symlink, symlink': [[symlink('a', 'b'), symlink('a', 'c')], { a: '-> c' }],
      'a hard link to itself': [[file('a', '1'), hardLink('a', './a')], { a: '1' }],
    };
    it.each(Object.entries(twice))('%s: the last wins', async (_, [entries, expected]) => {
      const { root, entries: count } = await unpack(tarGz(...entries));
      expect(shapeOf(root)).toEqual(expected);
      expect(count).toBe(Object.keys(expected).length);
    });
  });

  describe('links', () => {
    it('may point anywhere inside the release, dangling, in circles and through each other', async () => {
      const links = { a: 'd/../f', 'd/up': '../f', 'd/e/top': '../..', b: 'nowhere/at/all', c: 'c', e: 'd/e/top/d' };
      const { root } = await unpack(
        tarGz(
          directory('d/e'),
          file('f', 'text'),
          ...Object.entries(links).map(([name, target]) => symlink(name, target)),
        ),
      );
      for (const [name, target] of Object.entries(links)) expect(readlinkSync(join(root, name))).toBe(target);
    });

    it('may point at or below what allow_links_to lists, and nowhere near it', async () => {
      const allowLinksTo = ['/usr/bin/', '/opt/jdk'];
      const { root } = await unpack(tarGz(symlink('python3', '/usr/bin/python3'), symlink('jdk', '/opt//jdk')), {
        allowLinksTo,
      });
      expect(shapeOf(root)).toEqual({ jdk: '-> /opt//jdk', python3: '-> /usr/bin/python3' });
      for (const target of ['/usr/binary', '/usr/bin/../sbin/x', '/opt/jdk-21', '/usr']) {
        const url = origin.serve('/b', tarGz(symlink('l', target)));
        expect(await new StagingGround(expectedBytes).refusal({ url, allowLinksTo })).toEqual({
          code: 'ARCHIVE_ENTRY_REFUSED',
          params: { entry: 'l', reason: 'link_absolute', detail: target },
        });
      }
    });

    it('do not lead on from an allowed place by ..', async () => {
      const url = origin.serve('/b', tarGz(symlink('jdk', '/opt/jdk'), symlink('l', 'jdk/../x')));
      expect(await new StagingGround(expectedBytes).refusal({ url, allowLinksTo: ['/opt/jdk'] })).toEqual({
        code: 'ARCHIVE_ENTRY_REFUSED',
        params: { entry: 'l', reason: 'link_outside', detail: 'jdk/../x' },
      });
    });

    it('that are hard share one file; one to a symlink is a symlink', async () => {
      const { root } = await unpack(tarGz(file('a', '1'), hardLink('b', 'a'), symlink('s', 'a'), hardLink('d/t', 's')));
      expect(statSync(join(root, 'a')).ino).toBe(statSync(join(root, 'b')).ino);
      expect(readlinkSync(join(root, 'd/t'))).toBe('a');
    });
  });

  describe('the release', () => {
    it('is the only directory at the top where that has its name', async () => {
      const { root, contentDir, entries } = await unpack(
        tarGz(directory('zeus-1'), file('zeus-1/a', '1'), symlink('zeus-1/l', 'a')),
      );
      expect(root).toBe(join(contentDir, 'zeus-1'));
      expect(shapeOf(root)).toEqual({ a: '1', l: '-> a' });
      expect(entries).toBe(3);
    });

    it.each([
      ['another file stands beside it', [file('zeus-1/a', '1'), file('b', '2')]],
      ['another link stands beside it', [file('zeus-1/a', '1'), symlink('b', 'zeus-1')]],
      ['it has another name', [file('zeus-2/a', '1')]],
      ['a file has its name', [file('zeus-1', '1')]],
    ])('is all of the archive where %s', async (_, entries) => {
      const { root, contentDir } = await unpack(tarGz(...entries));
      expect(root).toBe(contentDir);
    });

    it('is the file itself where that is a jar', async () => {
      const bytes = Buffer.from('#!/bin/sh\nexec java -jar "$0"\nPK\x03\x04');
      const { root, contentDir, ...unpacked } = await unpack(bytes, { filename: 'app-1.jar' });
      expect(root).toBe(join(contentDir, 'app-1.jar'));
      expect(readFileSync(root)).toEqual(bytes);
      expect(unpacked).toMatchObject({ bytes: bytes.length, entries: 1 });
    });

    it.each(['zeus-1.tar', 'zeus-1.tgz', 'zeus-1.tar.gz'])(
      'is known by its bytes, not by the name %s',
      async (filename) => {
        for (const bytes of [tar(file('a', '1')), tarGz(file('a', '1'))]) {
          expect(shapeOf((await unpack(bytes, { filename })).root)).toEqual({ a: '1' });
        }
      },
    );

    it('may end without the end-of-archive marker where its length is known, and have zeros behind it', async () => {
      const whole = tar(file('a', '1'));
      expect(shapeOf((await unpack(whole.subarray(0, -1024), { filename: 'a.tar' })).root)).toEqual({ a: '1' });
      expect(shapeOf((await unpack(Buffer.concat([whole, Buffer.alloc(100_000)]))).root)).toEqual({ a: '1' });
      const padded = Buffer.concat([gzipSync(whole), Buffer.alloc(100_000)]);
      expect(shapeOf((await unpack(padded)).root)).toEqual({ a: '1' });
    });

    it('takes a gzip of several members for one', async () => {
      const whole = tar(file('a', 'x'.repeat(5000)));
      const bytes = Buffer.concat([gzipSync(whole.subarray(0, 2000)), gzipSync(whole.subarray(2000))]);
      expect(shapeOf((await unpack(bytes)).root)).toEqual({ a: 'x'.repeat(5000) });
    });

    it('ignores what stands behind the end of the archive, as GNU tar does', async () => {
      expect(shapeOf((await unpack(gzipSync(Buffer.concat([tar(file('a', '1')), file('b', '2')])))).root)).toEqual({
        a: '1',
      });
    });

    it('keeps times, and takes those that cannot be for now', async () => {
      const before = Math.floor(Date.now() / 1000);
      const { root } = await unpack(
        tarGz(
          directory('d', { mtime: 1_500_000_000 }),
          file('d/old', '', { mtime: 0 }),
          pax({ mtime: '1600000000.25' }),
          file('d/pax'),
          pax({ mtime: '99999999999' }),
          file('d/far'),
          pax({ mtime: 'never' }),
          file('d/never'),
          symlink('d/l', 'old', { mtime: 1_400_000_000 }),
        ),
      );
      const mtimeOf = (name: string) => lstatSync(join(root, name)).mtimeMs / 1000;
      expect(['d', 'd/old', 'd/pax', 'd/l'].map(mtimeOf)).toEqual([1_500_000_000, 0, 1_600_000_000.25, 1_400_000_000]);
      for (const name of ['d/far', 'd/never']) expect(mtimeOf(name)).toBeGreaterThanOrEqual(before);
    });
  });

  describe('the tree file of what was unpacked', () => {
    const signal = new AbortController().signal;

    it('tells each kind of change, and does not mind more files', async () => {
      const { root, treeFile } = await unpack(
        tarGz(directory('zeus-1'), file('zeus-1/a', 'text', { mtime: 1_600_000_000 }), symlink('zeus-1/l', 'a')),
      );
      writeFileSync(join(root, 'more'), 'by the application');
      expect(await verifyTree(treeFile, root, signal)).toBeUndefined();
      utimesSync(join(root, 'a'), 1_600_000_001, 1_600_000_001);
      expect(await verifyTree(treeFile, root, signal)).toBe('a was modified at 1600000001, expected 1600000000');
      writeFileSync(join(root, 'a'), 'longer text');
      expect(await verifyTree(treeFile, root, signal)).toBe('a has 11 bytes, expected 4');
      expect(existsSync(treeFile)).toBe(true);
    });
  });
});
