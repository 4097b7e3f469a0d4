import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { agentConfigSchema } from '@sampan/agent/config.ts';
import { chooseRelease } from '@sampan/agent/deploy/choose-release.ts';
import { assertOldWhole, usableOldReleases } from '@sampan/agent/deploy/old-release-whole.ts';
import type { Layout } from '@sampan/agent/releases/layout.ts';
import { flipLink } from '@sampan/agent/releases/link.ts';
import { findOldRelease, leftReleases, rememberLeft } from '@sampan/agent/releases/old-releases.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { directory, file, hardLink, symlink, tar, tarGz } from '../../../helpers/archives.ts';
import { madeLayout, standingRelease } from '../../../helpers/releases.ts';
import { failureOf } from '../../../helpers/supervised-project.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const limits = agentConfigSchema.parse({}).unpack;
const target = { projectName: 'shop', linkName: 'web', language: 'php', deployDir: '' } as const;
const entries = [
  file('index.php', 'hello'),
  directory('lib'),
  file('lib/a.php', 'a'),
  symlink('main.php', 'index.php'),
];

let layout: Layout;

beforeEach(async () => {
  layout = await madeLayout(tempDir());
});

describe('a directory of the old service', () => {
  it("is whole when each entry of the archive beside it stands there; more files are the application's own", async () => {
    unpacked('web-1');
    archive('web-1.tar.gz', tarGz(...entries));
    writeFileSync(at('web-1/cache.tmp'), 'written later');
    expect(await verdict('web-1')).toBe('whole');
  });

  it.each([
    ['.tgz', tarGz(...entries)],
    ['.tar', tar(...entries)],
    [
      '.tar.gz',
      tarGz(...['index.php', 'lib/a.php'].map((name) => file(`web-1/${name}`, name === 'index.php' ? 'hello' : 'a'))),
    ],
    ['.tar.gz', tarGz(file('./index.php', 'old text'), ...entries, hardLink('again.php', 'index.php'))],
  ])('is compared with a %s too, as it would be unpacked', async (ending, bytes) => {
    unpacked('web-1');
    writeFileSync(at('web-1/again.php'), 'hello');
    archive(`web-1${ending}`, bytes);
    expect(await verdict('web-1')).toBe('whole');
  });

  it.each<[string, string, () => void]>([
    ['a file is missing', 'lib/a.php is missing', () => rmSync(at('web-1/lib/a.php'))],
    ['a directory is missing', 'lib is missing', () => rmSync(at('web-1/lib'), { recursive: true })],
    ['a file is cut short', 'index.php has 2 bytes, expected 5', () => truncateSync(at('web-1/index.php'), 2)],
    ['a file has grown', 'index.php has 6 bytes, expected 5', () => appendFileSync(at('web-1/index.php'), '!')],
    ['a link is missing', 'main.php is missing', () => rmSync(at('web-1/main.php'))],
    [
      'a link leads elsewhere',
      'main.php points at lib/a.php, expected index.php',
      () => {
        rmSync(at('web-1/main.php'));
        symlinkSync('lib/a.php', at('web-1/main.php'));
      },
    ],
    [
      'a file stands in place of a directory',
      'lib is a file, expected a directory',
      () => {
        rmSync(at('web-1/lib'), { recursive: true });
        writeFileSync(at('web-1/lib'), '');
      },
    ],
  ])('is refused when %s', async (_what, detail, damage) => {
    unpacked('web-1');
    archive('web-1.tar.gz', tarGz(...entries));
    damage();
    expect(await verdict('web-1')).toEqual(refusal('differs', detail));
  });

  it('is refused without an archive of its own name, as timestamped copies are', async () => {
    unpacked('web-1_20240301123000');
    archive('web-1.tar.gz', tarGz(...entries));
    const name = 'web-1_20240301123000';
    expect(await verdict(name)).toEqual({
      code: 'OLD_RELEASE_REFUSED',
      params: { release: name, reason: 'no_archive', detail: `${name}.tar.gz, ${name}.tgz, ${name}.tar` },
    });
  });

  it.each([
    ['cut within gzip', tarGz(...entries).subarray(0, -9), 'gzip: unexpected end of file'],
    ['of flipped bytes', flipped(tarGz(...entries)), expect.stringMatching(/^gzip: incorrect data check$/)],
    ['cut between two entries', tar(...entries).subarray(0, -1024), 'its end is missing'],
    ['empty', Buffer.alloc(0), 'the file is empty'],
    ['an archive of nothing', gzipSync(Buffer.alloc(1024)), 'no entries'],
    ['an error page', Buffer.from('<html>not found</html>'), 'expected gzip or tar, found an HTML page'],
  ])('is refused when its archive is %s', async (_what, bytes, detail) => {
    unpacked('web-1');
    archive(bytes.subarray(0, 2).toString('hex') === '1f8b' ? 'web-1.tar.gz' : 'web-1.tar', bytes);
    expect(await verdict('web-1')).toEqual(refusal('archive_unreadable', detail));
  });

  it('is compared for as long as the caller waits, and no longer', async () => {
    unpacked('web-1');
    archive('web-1.tar.gz', tarGz(...entries));
    const release = await oldRelease('web-1');
    const reason = new Error('no more');
    await expect(assertOldWhole({ layout, limits }, release, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe('what a link has named', () => {
  it('is used as it stands, without an archive, now and after Sampan flipped away from it', async () => {
    unpacked('web-1');
    symlinkSync(at('web-1'), layout.link);
    expect(await verdict('web-1')).toBe('whole');
    await rememberLeft(layout, at('web-1'));
    await flipLink(layout, '.deploy/elsewhere', 'op');
    expect(await leftReleases(layout)).toEqual(['web-1']);
    expect(await verdict('web-1')).toBe('whole');
  });

  it('is another thing once another directory stands in its place', async () => {
    unpacked('web-1');
    await rememberLeft(layout, at('web-1'));
    renameSync(at('web-1'), at('moved'));
    unpacked('web-1');
    expect(await verdict('web-1')).toMatchObject({ params: { reason: 'no_archive' } });
  });

  it('is refused to any other link, whole as it may be', async () => {
    unpacked('shared-1');
    archive('shared-1.tar.gz', tarGz(...entries));
    symlinkSync(at('shared-1'), join(layout.baseDir, 'other'));
    expect(await verdict('shared-1')).toMatchObject({ params: { reason: 'of_other_link', detail: 'other' } });
    const other = { ...layout, link: join(layout.baseDir, 'other') };
    await rememberLeft(other, at('shared-1'));
    rmSync(other.link);
    expect(await verdict('shared-1')).toMatchObject({ params: { reason: 'of_other_link', detail: 'other' } });
  });

  it('is not written down where it is a release of ours', async () => {
    const { name } = await standingRelease(layout);
    await rememberLeft(layout, `.deploy/${name}`);
    expect(await leftReleases(layout)).toEqual([]);
  });
});

describe('a jar of the old service', () => {
  const directoryOfEntries = Buffer.from('PK\x01\x02 the names of all entries');

  it.each([
    ['ends as a zip does', zip(directoryOfEntries), 'whole'],
    ['has a comment', zip(directoryOfEntries, 'built by CI'), 'whole'],
    [
      'lacks its last bytes',
      zip(directoryOfEntries).subarray(0, -1),
      refusal('cut_short', 'no zip end record', 'web-1.jar'),
    ],
    ['is empty', Buffer.alloc(0), refusal('cut_short', 'no zip end record', 'web-1.jar')],
    [
      'was cut right behind a jar within it',
      Buffer.concat([Buffer.from('PK\x03\x04 lib/inner.jar'), zip(directoryOfEntries)]),
      refusal('cut_short', 'no zip end record', 'web-1.jar'),
    ],
  ])('that %s', async (_what, bytes, expected) => {
    writeFileSync(at('web-1.jar'), bytes);
    expect(await verdict('web-1.jar')).toEqual(expected);
  });
});

describe('choosing among old releases', () => {
  it('takes no archive, link, stranger or release of ours for one', async () => {
    const { name } = await standingRelease(layout);
    archive('web-2.tar.gz', tarGz(...entries));
    unpacked('web-3');
    symlinkSync('web-3', at('web-4'));
    writeFileSync(at('web-5'), '');
    for (const none of [name, 'web-2.tar.gz', 'web-4', 'web-5', 'web-6', '.meta', '..', '../web-3']) {
      expect(await findOldRelease(layout, none), none).toBeUndefined();
    }
  });

  it('takes an old one only where there is no copy of ours', async () => {
    unpacked('web-1');
    expect(await chooseRelease(layout, target, { kind: 'version', version: 'web-1' })).toMatchObject({
      name: 'web-1',
      version: 'web-1',
      old: { name: 'web-1', served: false },
    });
    await standingRelease(layout, { version: 'web-1' });
    expect(await chooseRelease(layout, target, { kind: 'version', version: 'web-1' })).toMatchObject({
      name: 'web-1~2',
    });
  });

  it('names those that are whole and called like the link or what it named, newest first', async () => {
    for (const [index, name] of ['web-1', 'web-2', 'web-3', 'api-1', 'shop-1', 'shop-2'].entries()) {
      unpacked(name);
      archive(`${name}.tar.gz`, tarGz(...entries));
      utimesSync(at(name), 1_700_000_000 + index, 1_700_000_000 + index);
    }
    rmSync(at('web-3/index.php'));
    utimesSync(at('web-3'), 1_800_000_000, 1_800_000_000);
    expect(await usable()).toEqual(['web-2', 'web-1']);
    symlinkSync(at('shop-2'), layout.link);
    symlinkSync(at('web-1'), join(layout.baseDir, 'other'));
    expect(await usable('shop-2')).toEqual(['shop-1', 'web-2']);
  });
});

/** What a test's old service has unpacked. */
function unpacked(name: string): void {
  mkdirSync(at(`${name}/lib`), { recursive: true });
  writeFileSync(at(`${name}/index.php`), 'hello');
  writeFileSync(at(`${name}/lib/a.php`), 'a');
  symlinkSync('index.php', at(`${name}/main.php`));
}

function archive(name: string, bytes: Buffer): void {
  writeFileSync(at(name), bytes);
}

function at(path: string): string {
  return join(layout.releasesDir, path);
}

async function oldRelease(name: string) {
  const release = await findOldRelease(layout, name);
  if (!release) throw new Error(`${name} is no old release`);
  return release;
}

async function verdict(name: string): Promise<'whole' | { code: string; params: unknown }> {
  const asserting = assertOldWhole({ layout, limits }, await oldRelease(name), new AbortController().signal);
  return asserting.then(
    () => 'whole' as const,
    () => failureOf(asserting),
  );
}

function usable(current?: string): Promise<string[]> {
  return usableOldReleases({ layout, limits }, current, new AbortController().signal);
}

function refusal(reason: string, detail: unknown, release = 'web-1') {
  return { code: 'OLD_RELEASE_REFUSED', params: { release, reason, detail } };
}

/** The last bytes of a zip: the directory of entries and the record that says where it stands. */
function zip(entriesOfZip: Buffer, comment = ''): Buffer {
  const local = Buffer.from('PK\x03\x04 all that is in it');
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt32LE(entriesOfZip.length, 12);
  end.writeUInt32LE(local.length, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([local, entriesOfZip, end, Buffer.from(comment)]);
}

/** The same archive with a wrong checksum at its end. */
function flipped(gzip: Buffer): Buffer {
  const copy = Buffer.from(gzip);
  copy.writeUInt8(copy.readUInt8(copy.length - 8) ^ 1, copy.length - 8);
  return copy;
}
