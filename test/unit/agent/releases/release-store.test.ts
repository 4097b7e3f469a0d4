import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { chooseRelease } from '@sampan/agent/deploy/choose-release.ts';
import { KnownSequences } from '@sampan/agent/releases/known-sequences.ts';
import { linkTargetOf, releaseOfLinkText } from '@sampan/agent/releases/layout.ts';
import { flipLink, readLinkText } from '@sampan/agent/releases/link.ts';
import { manifestPath } from '@sampan/agent/releases/meta-files.ts';
import {
  copiesOf,
  currentVersion,
  findRelease,
  listReleases,
  prepareBase,
} from '@sampan/agent/releases/release-store.ts';
import { describe, expect, it } from 'vitest';
import { madeLayout, standingRelease } from '../../../helpers/releases.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const shop = { projectName: 'shop', linkName: 'web', language: 'php', deployDir: '' } as const;

describe('releases', () => {
  it('gives two projects that ship the same name each a release of its own, both reported by that name', async () => {
    const layout = await madeLayout(tempDir());
    const first = await standingRelease(layout, { version: 'app', project: 'shop' });
    const second = await standingRelease(layout, { version: 'app', project: 'blog', link: 'blog' });
    expect([first.name, second.name]).toEqual(['app', 'app~2']);
    const found = await listReleases(layout, { projectName: 'blog', linkName: 'blog' });
    expect(found.map(({ name, version }) => [name, version])).toEqual([['app~2', 'app']]);
  });

  it('lists the last one that came first, whatever the clock said', async () => {
    const layout = await madeLayout(tempDir());
    await standingRelease(layout, { version: 'b', stagedAt: '2026-01-03T00:00:00.000Z' });
    await standingRelease(layout, { version: 'a', stagedAt: '2026-01-02T00:00:00.000Z' });
    await standingRelease(layout, { version: 'c', stagedAt: '2026-01-01T00:00:00.000Z' });
    expect((await listReleases(layout, shop)).map(({ name }) => name)).toEqual(['c', 'a', 'b']);
  });

  it('counts a manifest only while its inode stands there', async () => {
    const layout = await madeLayout(tempDir());
    const { name } = await standingRelease(layout);
    renameSync(join(layout.releasesDir, name), join(layout.baseDir, 'elsewhere'));
    mkdirSync(join(layout.releasesDir, name));
    expect(await findRelease(layout, name)).toBeUndefined();
    expect(await listReleases(layout, shop)).toEqual([]);
  });

  it('never takes a name that a directory without a manifest has', async () => {
    const layout = await madeLayout(tempDir());
    mkdirSync(join(layout.releasesDir, 'web-1'));
    writeFileSync(join(layout.releasesDir, 'web-1/of-somebody'), '');
    expect((await standingRelease(layout)).name).toBe('web-1~2');
    expect(existsSync(join(layout.releasesDir, 'web-1/of-somebody'))).toBe(true);
  });

  it('does not list a manifest that is cut or of another shape', async () => {
    const layout = await madeLayout(tempDir());
    const { name } = await standingRelease(layout);
    const path = join(layout.metaDir, `${name}.json`);
    const whole = readFileSync(path, 'utf8');
    writeFileSync(path, whole.slice(0, 40));
    expect(await findRelease(layout, name)).toBeUndefined();
    writeFileSync(path, '{"project":"shop"}');
    expect(await findRelease(layout, name)).toBeUndefined();
  });
});

describe('a base', () => {
  it('gets back what was removed from it by hand', async () => {
    const layout = await madeLayout(tempDir());
    rmSync(layout.metaDir, { recursive: true });
    await prepareBase(layout);
    expect(existsSync(layout.metaDir)).toBe(true);
    rmSync(layout.stagingRoot, { recursive: true });
    await prepareBase(layout);
    expect(existsSync(layout.stagingRoot)).toBe(true);
  });

  it('knows the copies of one version among those of all, newest first', async () => {
    const layout = await madeLayout(tempDir());
    const about = [{ version: 'app' }, { version: 'app' }, { version: 'app2' }, { version: 'app', project: 'blog' }];
    for (const release of about) await standingRelease(layout, release);
    expect((await copiesOf(layout, shop, 'app')).map(({ name }) => name)).toEqual(['app~2', 'app']);
    expect(await copiesOf(layout, shop, 'ap')).toEqual([]);
  });

  it('counts its releases on from the highest number that stands there, whoever gave it', async () => {
    const layout = await madeLayout(tempDir());
    await standingRelease(layout, { version: 'a' });
    const known = new KnownSequences();
    const second = await standingRelease(layout, { version: 'b' }, known);
    // Another agent, while the base was with another host.
    for (const version of ['c', 'd']) await standingRelease(layout, { version });
    const fifth = await standingRelease(layout, { version: 'e' }, known);
    expect([second.sequence, fifth.sequence]).toEqual([2, 5]);
  });

  it('reads what is known of a release once to count on from it', async () => {
    const layout = await madeLayout(tempDir());
    const known = new KnownSequences();
    await standingRelease(layout, { version: 'a' });
    await standingRelease(layout, { version: 'b' });
    expect(await known.highest(layout)).toBe(2);
    writeFileSync(manifestPath(layout, 'b'), '');
    expect([await known.highest(layout), await new KnownSequences().highest(layout)]).toEqual([2, 1]);
    rmSync(manifestPath(layout, 'b'));
    expect(await known.highest(layout)).toBe(1);
  });
});

describe('the link', () => {
  it('takes the place of a temporary one that an attempt before has left', async () => {
    const layout = await madeLayout(tempDir());
    symlinkSync('nowhere', join(layout.baseDir, '.sampan-link-op1'));
    await flipLink(layout, linkTargetOf(layout, (await standingRelease(layout)).name), 'op1');
    expect(readlinkSync(layout.link)).toBe('.deploy/web-1');
    expect(existsSync(join(layout.baseDir, '.sampan-link-op1'))).toBe(false);
  });

  it('is made relative, replaced in place, and leaves no temporary link', async () => {
    const layout = await madeLayout(tempDir());
    const one = await standingRelease(layout, { version: 'one' });
    const two = await standingRelease(layout, { version: 'two' });
    await flipLink(layout, linkTargetOf(layout, one.name), 'op1');
    await flipLink(layout, linkTargetOf(layout, two.name), 'op2');
    expect(readlinkSync(layout.link)).toBe('.deploy/two');
    expect(await currentVersion(layout)).toEqual({ version: 'two', linkText: '.deploy/two' });
    expect(existsSync(join(layout.baseDir, '.sampan-link-op1'))).toBe(false);
    expect(existsSync(join(layout.baseDir, '.sampan-link-op2'))).toBe(false);
  });

  it('is told apart from a directory, a file, a dangling link and no link', async () => {
    const layout = await madeLayout(tempDir());
    expect(await readLinkText(layout.link)).toBeNull();
    await expect(currentVersion(layout)).rejects.toMatchObject({ code: 'NOT_DEPLOYED', params: { link: layout.link } });
    symlinkSync('.deploy/gone', layout.link);
    await expect(currentVersion(layout)).rejects.toMatchObject({
      code: 'RELEASE_MISSING',
      params: { link: layout.link, target: '.deploy/gone' },
    });
    rmSync(layout.link);
    mkdirSync(layout.link);
    await expect(readLinkText(layout.link)).rejects.toMatchObject({
      code: 'LINK_NOT_A_SYMLINK',
      params: { link: layout.link },
    });
    rmSync(layout.link, { recursive: true });
    writeFileSync(layout.link, '');
    await expect(readLinkText(layout.link)).rejects.toMatchObject({ code: 'LINK_NOT_A_SYMLINK' });
  });

  it('is never put over a directory', async () => {
    const layout = await madeLayout(tempDir());
    mkdirSync(layout.link);
    await expect(flipLink(layout, '.deploy/x', 'op')).rejects.toMatchObject({ code: 'DISK_ERROR' });
    expect(existsSync(join(layout.baseDir, '.sampan-link-op'))).toBe(false);
  });

  it('of an older service, absolute, to a directory without a manifest, is understood', async () => {
    const layout = await madeLayout(tempDir());
    const old = join(layout.releasesDir, 'zeus-0.1.020180630165728');
    mkdirSync(old);
    symlinkSync(old, layout.link);
    expect(await currentVersion(layout)).toEqual({ version: 'zeus-0.1.020180630165728', linkText: old });
    expect(releaseOfLinkText(layout, old)).toBe('zeus-0.1.020180630165728');
    expect(releaseOfLinkText(layout, '/elsewhere/zeus')).toBeUndefined();
  });
});

describe('choosing a release', () => {
  it('takes the newest copy of a version that is not current', async () => {
    const layout = await madeLayout(tempDir());
    const names = [];
    for (const day of [1, 2, 3]) {
      names.push((await standingRelease(layout, { version: 'app', stagedAt: `2026-01-0${day}T00:00:00.000Z` })).name);
    }
    expect(names).toEqual(['app', 'app~2', 'app~3']);
    await flipLink(layout, '.deploy/app~3', 'op');
    expect((await chooseRelease(layout, shop, { kind: 'version', version: 'app' })).name).toBe('app~2');
    await flipLink(layout, '.deploy/app~2', 'op');
    expect((await chooseRelease(layout, shop, { kind: 'version', version: 'app' })).name).toBe('app~3');
  });

  it('takes the current copy where there is no other', async () => {
    const layout = await madeLayout(tempDir());
    await standingRelease(layout, { version: 'app' });
    await flipLink(layout, '.deploy/app', 'op');
    expect((await chooseRelease(layout, shop, { kind: 'version', version: 'app' })).name).toBe('app');
  });

  it('names the versions to go back to when the wanted one is not there, and none of another project', async () => {
    const layout = await madeLayout(tempDir());
    await standingRelease(layout, { version: 'app-1', stagedAt: '2026-01-01T00:00:00.000Z' });
    await standingRelease(layout, { version: 'app-2', stagedAt: '2026-01-02T00:00:00.000Z' });
    await standingRelease(layout, { version: 'app-3', project: 'blog' });
    await flipLink(layout, '.deploy/app-2', 'op');
    await expect(chooseRelease(layout, shop, { kind: 'version', version: 'app-3' })).rejects.toMatchObject({
      code: 'RELEASE_NOT_FOUND',
      params: { version: 'app-3', available: 'app-1' },
    });
    await expect(chooseRelease(layout, shop, { kind: 'release', release: 'app-3' })).rejects.toMatchObject({
      code: 'RELEASE_NOT_FOUND',
    });
  });
});
