import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  base256,
  directory,
  endOfArchive,
  entry,
  file,
  gnuLong,
  hardLink,
  pax,
  symlink,
  tar,
  tarGz,
} from '../../../helpers/archives.ts';
import { type Origin, startOrigin } from '../../../helpers/origin.ts';
import { StagingGround, UNPACKED_BY } from '../../../helpers/staging-ground.ts';

let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin();
});
afterAll(() => origin.close());

const refused = (name: string, reason: string, detail?: string) => ({
  code: 'ARCHIVE_ENTRY_REFUSED',
  params: { entry: name, reason, ...(detail === undefined ? {} : { detail }) },
});
const corrupt = (reason: string) => ({ code: 'ARCHIVE_CORRUPT', params: { reason } });
const limit = (name: string, max: number, at?: string) => ({
  code: 'ARCHIVE_LIMIT',
  params: { limit: `unpack.${name}`, max, ...(at === undefined ? {} : { entry: at }) },
});

const deep = Array.from({ length: 2000 }, () => 'd').join('/');
const honest = file('a.txt', 'text');
const big = tarGz(file('a', Buffer.alloc(20_000, 'x')));

interface Case {
  bytes: Buffer;
  expected: { code: string; params: object };
  unpack?: Record<string, unknown>;
  sha256?: string;
  filename?: string;
}

const cases: Record<string, Case> = {
  '../x': { bytes: tarGz(file('../x', 'evil')), expected: refused('../x', 'path_outside') },
  'a/../../x': { bytes: tarGz(file('a/../../x', 'evil')), expected: refused('a/../../x', 'path_outside') },
  'a/../x, although it stays inside': { bytes: tarGz(file('a/../x')), expected: refused('a/../x', 'path_outside') },
  'an absolute path': { bytes: tarGz(file('/tmp/x', 'evil')), expected: refused('/tmp/x', 'path_absolute') },
  'an absolute directory': { bytes: tarGz(directory('/tmp/x/')), expected: refused('/tmp/x/', 'path_absolute') },
  'a file without a name': {
    bytes: tarGz(file('./', 'x', { type: '7' })),
    expected: refused('./', 'path_invalid', 'no name'),
  },
  'an empty name': { bytes: tarGz(file('')), expected: corrupt('an entry without a name') },
  'a name that is not UTF-8': {
    bytes: tarGz(entry({ name: Buffer.from([0x61, 0xe9]) })),
    expected: refused('a\ufffd', 'path_invalid', 'not UTF-8'),
  },
  'a write through an absolute symlink': {
    bytes: tarGz(symlink('out', '/tmp'), file('out/x', 'evil')),
    expected: refused('out', 'link_absolute', '/tmp'),
  },
  'a write through a relative symlink': {
    bytes: tarGz(directory('d'), symlink('l', 'd'), file('l/x', 'evil')),
    expected: refused('l/x', 'path_through_link', 'l'),
  },
  'a write through a symlink that comes later': {
    bytes: tarGz(file('l/x', 'evil'), symlink('l', 'd')),
    expected: refused('l', 'path_invalid', 'l is a directory that is not empty'),
  },
  'a ../ symlink': { bytes: tarGz(honest, symlink('l', '../x')), expected: refused('l', 'link_outside', '../x') },
  'a symlink that leads out through another': {
    bytes: tarGz(directory('d'), symlink('d/l', '..'), symlink('m', 'd/l/../x')),
    expected: refused('m', 'link_outside', 'd/l/../x'),
  },
  'a chain of symlinks that leads out': {
    bytes: tarGz(directory('a/b/'), symlink('one', 'a/b'), symlink('two', 'one/../..'), symlink('three', 'two/..')),
    expected: refused('three', 'link_outside', 'two/..'),
  },
  'a symlink that leaves the release and comes back by its name': {
    bytes: tarGz(directory('zeus-1/'), file('zeus-1/a'), symlink('zeus-1/l', '../zeus-1/a')),
    expected: refused('zeus-1/l', 'link_outside', '../zeus-1/a'),
  },
  'a hardlink to /etc/passwd': {
    bytes: tarGz(hardLink('h', '/etc/passwd')),
    expected: refused('h', 'link_absolute', '/etc/passwd'),
  },
  'a hardlink to ../../etc/passwd': {
    bytes: tarGz(hardLink('h', '../../etc/passwd')),
    expected: refused('h', 'link_outside', '../../etc/passwd'),
  },
  'a hardlink through a symlink': {
    bytes: tarGz(directory('d'), file('d/f'), symlink('l', 'd'), hardLink('h', 'l/f')),
    expected: refused('h', 'path_through_link', 'l'),
  },
  'a hardlink to what is not there': {
    bytes: tarGz(hardLink('h', 'f'), file('f')),
    expected: corrupt('hard link h names f, which does not come before it'),
  },
  'a hardlink to a directory': {
    bytes: tarGz(directory('d'), hardLink('h', 'd')),
    expected: refused('h', 'path_invalid', 'hard link to the directory d'),
  },
  'a hardlink with bytes of its own': {
    bytes: tarGz(file('f'), entry({ name: 'h', type: '1', linkname: 'f' }, 'evil')),
    expected: corrupt('link h has 4 bytes'),
  },
  'a symlink, then a file of the same name': {
    bytes: tarGz(symlink('s', 'elsewhere'), file('s', 'evil')),
    expected: refused('s', 'path_through_link', 's'),
  },
  'a symlink, then a directory of the same name': {
    bytes: tarGz(directory('d'), symlink('s', 'd'), directory('s')),
    expected: refused('s', 'path_through_link', 's'),
  },
  'a symlink, then a hardlink of the same name': {
    bytes: tarGz(file('f'), symlink('s', 'f'), hardLink('s', 'f')),
    expected: refused('s', 'path_through_link', 's'),
  },
  'a directory with a file in it, then a file of the same name': {
    bytes: tarGz(file('d/f'), file('d')),
    expected: refused('d', 'path_invalid', 'd is a directory that is not empty'),
  },
  'a directory with a symlink in it, then a file of the same name': {
    bytes: tarGz(symlink('d/l', 'f'), file('d')),
    expected: refused('d', 'path_invalid', 'd is a directory that is not empty'),
  },
  'a file, then a path below it': {
    bytes: tarGz(file('f'), file('f/g')),
    expected: refused('f/g', 'path_invalid', 'f is a file'),
  },
  'a character device': {
    bytes: tarGz(entry({ name: 'null', type: '3' })),
    expected: refused('null', 'type', 'CharacterDevice'),
  },
  'a block device': {
    bytes: tarGz(entry({ name: 'sda', type: '4' })),
    expected: refused('sda', 'type', 'BlockDevice'),
  },
  'a FIFO': { bytes: tarGz(entry({ name: 'pipe', type: '6' })), expected: refused('pipe', 'type', 'FIFO') },
  'an unknown type': { bytes: tarGz(entry({ name: 'odd', type: 'Z' })), expected: refused('odd', 'type', 'type "Z"') },
  'a GNU sparse file': {
    bytes: tarGz(entry({ name: 'holes', type: 'S', magic: 'ustar  \0' })),
    expected: refused('holes', 'type', 'SparseFile'),
  },
  'a PAX sparse file': {
    bytes: tarGz(pax({ 'GNU.sparse.major': '1', 'GNU.sparse.name': 'holes' }), file('GNUSparseFile.0/holes', '1\n0\n')),
    expected: refused('GNUSparseFile.0/holes', 'type', 'sparse'),
  },
  'a ratio over 1,000': {
    bytes: gzipSync(tar(file('zeros', Buffer.alloc(40 * 1024 * 1024))), { level: 9 }),
    unpack: { max_ratio: 900 },
    expected: limit('max_ratio', 900),
  },
  'under the ratio, but over the byte cap': {
    bytes: tarGz(file('a', Buffer.alloc(70_000)), file('b', Buffer.alloc(70_000))),
    unpack: { max_bytes: 100_000 },
    expected: limit('max_bytes', 100_000),
  },
  'more empty files than allowed': {
    bytes: tarGz(...Array.from({ length: 1001 }, (_, index) => file(`f${index}`))),
    unpack: { max_entries: 1000 },
    expected: limit('max_entries', 1000, 'f1000'),
  },
  'more directories than allowed, none of them named': {
    bytes: tarGz(file('a/b/c/d/e/f')),
    unpack: { max_entries: 4 },
    expected: limit('max_entries', 4, 'a/b/c/d/e/f'),
  },
  '2,000 levels deep': {
    bytes: tarGz(gnuLong(deep), file('x')),
    expected: limit('max_depth', 64, deep.slice(-1500).padStart(1501, '…')),
  },
  'a path of 2,000 bytes': {
    bytes: tarGz(gnuLong('n'.repeat(2000)), file('x')),
    expected: limit('max_path_length', 1024, `…${'n'.repeat(1500)}`),
  },
  'a name that no file system takes': {
    bytes: tarGz(gnuLong('n'.repeat(300)), file('x')),
    expected: refused('n'.repeat(300), 'path_invalid', 'longer than the file system allows'),
  },
  'a PAX name with a NUL': {
    bytes: tarGz(pax({ path: 'good\0/../../evil' }), file('x')),
    expected: refused('good\\0/../../evil', 'path_invalid', 'NUL'),
  },
  'a PAX link target with a NUL': {
    bytes: tarGz(pax({ linkpath: 'a\0b' }), symlink('l', 'a')),
    expected: refused('a\\0b', 'path_invalid', 'NUL'),
  },
  'a PAX record whose length lies': {
    bytes: tarGz(entry({ name: 'PaxHeaders/x', type: 'x' }, '99 path=x\n'), honest),
    expected: corrupt('bad PAX record at byte 0 of an extended header'),
  },
  'a PAX size against the header size': {
    bytes: tarGz(pax({ size: '3' }), file('f', 'four')),
    expected: corrupt('f has 4 bytes by its header and 3 by its PAX header'),
  },
  'a PAX size that is no number': {
    bytes: tarGz(pax({ size: '-5' }), file('f', 'four')),
    expected: corrupt('bad PAX size "-5"'),
  },
  'a global header that names every entry': {
    bytes: tarGz(pax({ path: 'f' }, 'g'), honest),
    expected: corrupt('a global header that names or sizes every entry'),
  },
  'an extended header of 8 MiB': {
    bytes: tarGz(entry({ name: 'x', type: 'x', size: 8 * 1024 * 1024 })),
    expected: corrupt('an extended header of 8388608 bytes'),
  },
  'a negative size': {
    bytes: tarGz(entry({ name: 'f', size: base256(-512) }, 'text')),
    expected: corrupt('the size of f is negative or not a number'),
  },
  '8 TiB declared': {
    bytes: tarGz(entry({ name: 'f', size: base256(8 * 1024 ** 4) }, 'text')),
    expected: limit('max_bytes', 20 * 1024 ** 3, 'f'),
  },
  'a size beyond all numbers': {
    bytes: tarGz(entry({ name: 'f', size: base256(2n ** 62n) }, 'text')),
    expected: corrupt('a number in a header cannot be read'),
  },
  'a wrong header checksum': {
    bytes: tarGz(honest, file('b', 'b', { checksumError: 1 })),
    expected: corrupt('bad header after a.txt'),
  },
  'an archive cut at an entry boundary, with sha256': {
    bytes: Buffer.concat([honest]),
    sha256: sha256Of(tar(honest, file('b', 'more'))),
    filename: 'zeus-1.tar',
    expected: {
      code: 'CHECKSUM_MISMATCH',
      params: { algorithm: 'sha256', found: sha256Of(honest), expected: sha256Of(tar(honest, file('b', 'more'))) },
    },
  },
  'a tar cut within a file': {
    bytes: tar(file('a', Buffer.alloc(5000))).subarray(0, 2048),
    filename: 'zeus-1.tar',
    expected: corrupt('cut short in or after a'),
  },
  'a tar cut within a header': {
    bytes: Buffer.concat([honest, file('b').subarray(0, 100)]),
    filename: 'zeus-1.tar',
    expected: corrupt('cut short in or after a.txt'),
  },
  'a tar cut behind a PAX header': {
    bytes: Buffer.concat([honest, pax({ path: 'b' })]),
    filename: 'zeus-1.tar',
    expected: corrupt('cut short in or after a.txt'),
  },
  'a cut gzip tail': { bytes: big.subarray(0, -5), expected: corrupt('gzip: unexpected end of file') },
  'a gzip cut in the middle': { bytes: big.subarray(0, 100), expected: corrupt('gzip: unexpected end of file') },
  'a bad CRC': { bytes: flipped(big, big.length - 6), expected: corrupt('gzip: incorrect data check') },
  'a flipped byte, with sha256': {
    bytes: flipped(big, 60),
    sha256: sha256Of(big),
    expected: {
      code: 'CHECKSUM_MISMATCH',
      params: { algorithm: 'sha256', found: sha256Of(flipped(big, 60)), expected: sha256Of(big) },
    },
  },
  'garbage behind the gzip data': {
    bytes: Buffer.concat([big, Buffer.from('garbage')]),
    expected: corrupt('gzip: incorrect header check'),
  },
  'an empty file': { bytes: Buffer.alloc(0), expected: corrupt('the file is empty') },
  'an empty file in place of a jar': {
    bytes: Buffer.alloc(0),
    filename: 'app.jar',
    expected: corrupt('the file is empty'),
  },
  'HTML with status 200': {
    bytes: Buffer.from('<!DOCTYPE html>\n<title>Log in</title>'),
    expected: corrupt('expected gzip or tar, found an HTML page'),
  },
  'HTML in place of a jar': {
    bytes: Buffer.from('\n<html><body>Log in'),
    filename: 'app.jar',
    expected: corrupt('expected a jar or war, found an HTML page'),
  },
  'a gzip in place of a jar': {
    bytes: gzipSync('PK'),
    filename: 'app.jar',
    expected: corrupt('expected a jar or war, found gzip'),
  },
  'a zip named .tar.gz': {
    bytes: Buffer.from(zipSync({ 'a.txt': Buffer.from('text') })),
    expected: corrupt('expected gzip or tar, found a zip file'),
  },
  'a zip in a gzip': {
    bytes: gzipSync(zipSync({ 'a.txt': Buffer.from('text') })),
    expected: corrupt('expected gzip or tar, found a zip file'),
  },
  'a tar that was compressed twice': { bytes: gzipSync(big), expected: corrupt('compressed twice') },
  text: { bytes: Buffer.from('hello'), expected: corrupt('expected gzip or tar, found neither') },
  'an archive without entries': { bytes: gzipSync(endOfArchive), expected: corrupt('no entries') },
  'an absolute symlink as Python venvs have': {
    bytes: tarGz(symlink('venv/bin/python3', '/usr/bin/python3')),
    expected: refused('venv/bin/python3', 'link_absolute', '/usr/bin/python3'),
  },
};

describe.each(UNPACKED_BY)('unpacked by %s, an archive is refused, and nothing of it stays:', (_, expectedBytes) => {
  it.each(Object.entries(cases))('%s', async (name, { bytes, expected, unpack = {}, ...request }) => {
    const ground = new StagingGround(expectedBytes);
    const url = origin.serve(`/${encodeURIComponent(name)}`, bytes);
    expect(await ground.refusal({ url, ...request }, { unpack })).toEqual(expected);
    // The agent's thread only ever succeeds; what has the wrong checksum it gives to nobody.
    const isKnownBefore = expectedBytes !== undefined && expected.code === 'CHECKSUM_MISMATCH';
    expect(ground.staged).toHaveLength(isKnownBefore ? 0 : 1);
  });
});

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}
