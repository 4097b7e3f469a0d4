import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { attempt, outcomeOf, violations } from '../harness/attempt.ts';
import { type Package, packageOf, packageWith, sha256Of, treeOf } from '../harness/package.ts';
import type { CaseTable, FaultCase, Report } from '../harness/run-cases.ts';
import { entryBytes, paxEntry, type TarEntry, tarGzOf, tarOf } from '../harness/tar-bytes.ts';
import type { World, WorldSettings } from '../harness/world.ts';

/** Somebody to whom files can be given. */
export const OWNER = process.getuid?.() === 0 ? 'daemon' : userInfo().username;
const BYTE_CAP = 16 * 1024 ** 2;

/** Fewer than an agent allows by itself: it has to make so many before it can say that there are too many. */
const MANY = 100_000;

export const many: WorldSettings = { agent: { unpack: { max_entries: MANY } } };

export const hostile: WorldSettings = {
  agent: { unpack: { max_bytes: BYTE_CAP } },
  languages: () => ({ php: { owner: OWNER } }),
};

/** Each archive once, from the origin to the caller's answer; the unpacker's own tests try many more of each kind. */
export const archives: CaseTable<'archives', World> = {
  '../x': refused([{ path: '../x', body: 'out' }], '解压文件失败: 拒绝条目 ../x: 路径在发布目录之外'),
  'a/../../x': refused([{ path: 'a/../../x', body: 'out' }], '解压文件失败: 拒绝条目 a/../../x: 路径在发布目录之外'),
  'absolute path': refused(
    ({ outside }) => [{ path: join(outside, 'x'), body: 'out' }],
    '解压文件失败: 拒绝条目 <root>/outside/x: 绝对路径',
  ),
  'write through an absolute symlink': refused(
    ({ outside }) => [
      { path: 'way', type: '2', linkpath: outside },
      { path: 'way/x', body: 'out' },
    ],
    '解压文件失败: 拒绝条目 way: 软连接指向绝对路径, 不在 allow_links_to 之内 (<root>/outside)',
  ),
  '../ symlink': refused(
    [{ path: 'way', type: '2', linkpath: '../..' }],
    '解压文件失败: 拒绝条目 way: 软连接指向发布目录之外 (../..)',
  ),
  'hardlink to /etc/passwd': refused(
    [{ path: 'passwd', type: '1', linkpath: '/etc/passwd' }],
    '解压文件失败: 拒绝条目 passwd: 软连接指向绝对路径, 不在 allow_links_to 之内 (/etc/passwd)',
  ),
  'hardlink through a symlink': refused(
    [
      { path: 'dir/secret', body: 'secret' },
      { path: 'way', type: '2', linkpath: 'dir' },
      { path: 'copy', type: '1', linkpath: 'way/secret' },
    ],
    '解压文件失败: 拒绝条目 copy: 路径经过软连接 (way)',
  ),
  'a symlink, then a file of the same name': refused(
    [
      { path: 'target.txt', body: 'untouched' },
      { path: 'same', type: '2', linkpath: 'target.txt' },
      { path: 'same', body: 'written through' },
    ],
    '解压文件失败: 拒绝条目 same: 路径经过软连接 (same)',
  ),
  'char, block, FIFO': {
    speed: 'fast',
    async run(world) {
      const outcomes = [];
      for (const [type, name] of [
        ['3', 'CharacterDevice'],
        ['4', 'BlockDevice'],
        ['6', 'FIFO'],
      ]) {
        const text = `解压文件失败: 拒绝条目 special: 不支持的类型 (${name})`;
        outcomes.push((await refusal(world, tarGzOf([{ path: 'special', type: type! }]), { text })).outcome);
      }
      return { outcome: outcomes.join('; ') };
    },
  },
  'setuid (→ masked, deploys)': deploys((version) => [
    { path: 'version.txt', body: version },
    { path: 'bin/su', mode: 0o6755, body: '#!/bin/sh\n' },
  ]),
  'foreign uid (→ configured owner, deploys)': deploys(
    (version) => [
      { path: 'version.txt', body: version, uid: 54_321 },
      { path: 'dir/theirs', body: 'x', uid: 54_321 },
    ],
    (release) => {
      const owners = ['version.txt', 'dir', 'dir/theirs'].map((path) => lstatSync(join(release, path)).uid);
      expect(new Set(owners)).toEqual(new Set([uidOf(OWNER)]));
    },
  ),
  'mode-0 directory (→ usable)': deploys(
    (version) => [
      { path: 'version.txt', body: version },
      { path: 'closed/', type: '5', mode: 0 },
      { path: 'closed/inside', body: 'x' },
    ],
    (release) => expect(lstatSync(join(release, 'closed')).mode & 0o777).toBe(0o700),
  ),
  'ratio over 1,000': refused(
    () => [{ path: 'zeros', body: Buffer.alloc(12 * 1024 ** 2) }],
    '解压文件失败: 超过限制 unpack.max_ratio = 1000',
  ),
  'under the ratio but over the byte cap': refused(
    () => [{ path: 'lines', body: Buffer.alloc(BYTE_CAP + 1, `${sha256Of('some')}\n`) }],
    `解压文件失败: 超过限制 unpack.max_bytes = ${BYTE_CAP} (条目 lines)`,
  ),
  'a million empty files': {
    speed: 'slow',
    run: (world) =>
      refusal(world, millionEmptyFiles(), {
        text: `解压文件失败: 超过限制 unpack.max_entries = ${MANY} (条目 <entry>)`,
      }),
  },
  '2,000 levels deep': refused(
    [{ path: `${'d/'.repeat(2000)}x`, body: 'x' }],
    '解压文件失败: 超过限制 unpack.max_depth = 64 (条目 <entry>)',
  ),
  'PAX NUL': refusedBytes(
    () => gzipSync(Buffer.concat([paxEntry({ path: 'a\0b' }), tarOf([{ path: 'x', body: 'x' }])])),
    '解压文件失败: 拒绝条目 a\\0b: 路径无效 (NUL)',
  ),
  'PAX size against header size': refusedBytes(
    () => gzipSync(Buffer.concat([paxEntry({ size: '100000' }), tarOf([{ path: 'x', body: 'ten bytes!' }])])),
    '解压文件失败: 压缩包损坏 (x has 10 bytes by its header and 100000 by its PAX header)',
  ),
  'negative size': refused(
    [{ path: 'x', body: 'x', size: Buffer.from(`ff${'ff'.repeat(10)}00`, 'hex') }],
    '解压文件失败: 压缩包损坏 (the size of x is negative or not a number)',
  ),
  '8 TiB declared': refused(
    [{ path: 'x', body: 'x', size: Buffer.from(`80${'00'.repeat(4)}080000000000`.padEnd(24, '0'), 'hex') }],
    `解压文件失败: 超过限制 unpack.max_bytes = ${BYTE_CAP} (条目 x)`,
  ),
  'cut at an entry boundary, with sha256': {
    speed: 'fast',
    async run(world) {
      const made = world.next();
      const entries: TarEntry[] = ['a', 'b', 'c'].map((path) => ({ path, body: path }));
      const cut = gzipSync(tarOf(entries).subarray(0, 4 * 512));
      const text = `文件校验失败: sha256 为 ${sha256Of(cut)}, 应为 ${made.sha256}`;
      return refusal(world, cut, { text, made, more: { sha256: made.sha256 } });
    },
  },
  'cut gzip tail': refusedBytes(
    ({ bytes }) => bytes.subarray(0, -4),
    '解压文件失败: 压缩包损坏 (gzip: unexpected end of file)',
  ),
  'bad CRC': refusedBytes(
    ({ bytes }) => flipped(bytes, bytes.length - 8),
    '解压文件失败: 压缩包损坏 (gzip: incorrect data check)',
  ),
  'flipped byte with sha256': {
    speed: 'fast',
    async run(world) {
      const made = world.next();
      const entries: TarEntry[] = [{ path: 'a', body: 'one thing' }];
      const other = gzipSync(flipped(tarOf(entries), 515));
      const text = `文件校验失败: sha256 为 ${sha256Of(other)}, 应为 ${made.sha256}`;
      return refusal(world, other, { text, made, more: { sha256: made.sha256 } });
    },
  },
  'empty file': refusedBytes(() => Buffer.alloc(0), '解压文件失败: 压缩包损坏 (the file is empty)'),
  'HTML with status 200': refusedBytes(
    () => Buffer.from('<!DOCTYPE html><html><body>Please log in</body></html>'),
    '解压文件失败: 压缩包损坏 (expected gzip or tar, found an HTML page)',
  ),
  'a zip named .tar.gz': refusedBytes(
    () => Buffer.concat([Buffer.from('504b0304140000000800', 'hex'), Buffer.alloc(1000, 7)]),
    '解压文件失败: 压缩包损坏 (expected gzip or tar, found a zip file)',
  ),
  'F and f, ß and ss (→ both unpacked)': deploys((version) => [
    { path: 'version.txt', body: version },
    ...['F', 'f', 'ß', 'ss'].map((path) => ({ path, body: path })),
  ]),
  'absolute symlink as Python venvs have (→ a clear message)': refused(
    [{ path: 'venv/bin/python', type: '2', linkpath: '/usr/bin/python3' }],
    '解压文件失败: 拒绝条目 venv/bin/python: 软连接指向绝对路径, 不在 allow_links_to 之内 (/usr/bin/python3)',
  ),
};

interface Places {
  /** A directory that no deploy has business in. */
  outside: string;
}

/** An archive of these entries beside honest ones is refused with this text. */
function refused(
  entries: readonly TarEntry[] | ((places: Places) => readonly TarEntry[]),
  text: string,
): FaultCase<World> {
  return {
    speed: 'fast',
    run(world) {
      const hostile = typeof entries === 'function' ? entries({ outside: outsideOf(world) }) : entries;
      return refusal(world, tarGzOf([{ path: 'honest.txt', body: 'honest' }, ...hostile]), { text });
    },
  };
}

function refusedBytes(bytes: (made: Package) => Buffer, text: string): FaultCase<World> {
  return { speed: 'fast', run: (world) => refusal(world, bytes(packageOf('honest')), { text }) };
}

interface Refusal {
  text: string;
  made?: Package;
  more?: Record<string, unknown>;
}

async function refusal(
  world: World,
  bytes: Buffer,
  { text, made = world.next(), more = {} }: Refusal,
): Promise<Report> {
  const outside = outsideOf(world);
  world.origin.serve(`/${made.filename}`, bytes);
  const tried = await attempt(world, made, { more });
  const outcome = outcomeOf(world, tried).replace(/\(条目 (…?\/?d\/[^)]*|\d+)\)/, '(条目 <entry>)');
  expect(outcome).toBe(text);
  expect(readdirSync(outside)).toEqual(['canary']);
  expect(readFileSync(join(outside, 'canary'), 'utf8')).toBe('sings');
  expect(await violations(world, tried)).toEqual([]);
  return { outcome: outcome.replaceAll(/[0-9a-f]{64}/g, '<sha256>') };
}

function deploys(
  entries: (version: string) => readonly TarEntry[],
  look: (release: string) => void = () => undefined,
): FaultCase<World> {
  return {
    speed: 'fast',
    async run(world) {
      const made = world.next((version) => packageWith(version, entries(version), expectedTree(entries(version))));
      const tried = await attempt(world, made);
      expect(outcomeOf(world, tried)).toBe('部署成功!');
      look(join(world.base.dir, '.deploy', made.version));
      expect(await violations(world, tried)).toEqual([]);
      return { outcome: outcomeOf(world, tried) };
    },
  };
}

/** Of a path that occurs twice the last; of a directory the mode that makes it usable. */
function expectedTree(entries: readonly TarEntry[]) {
  const tree = new Map(treeOf(entries));
  for (const { path, type, mode = 0o755 } of entries) {
    if (type === '5') tree.set(path.replace(/\/$/, ''), `directory ${((mode & 0o755) | 0o700).toString(8)}`);
  }
  return tree;
}

function outsideOf(world: World): string {
  const outside = join(world.home.root, 'outside');
  mkdirSync(outside, { recursive: true });
  writeFileSync(join(outside, 'canary'), 'sings');
  return outside;
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

function uidOf(user: string): number | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${user}:`));
  return Number(line?.split(':')[2]);
}

/** In several gzip members, so that it is not all in memory at once uncompressed. */
function millionEmptyFiles(): Buffer {
  const members: Buffer[] = [];
  for (let n = 0; n < 1_000_000; n += 10_000) {
    const headers = Array.from({ length: 10_000 }, (_, index) => entryBytes({ path: String(n + index) }));
    members.push(gzipSync(Buffer.concat(headers), { level: 1 }));
  }
  return Buffer.concat([...members, gzipSync(Buffer.alloc(1024))]);
}
