import { execFileSync } from 'node:child_process';
import { cpSync, linkSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTree, type TreeEntry } from '../helpers/read-tree.ts';
import { debianJar, debianOriginal, npmTarball } from '../helpers/real-packages.ts';
import { requires } from '../helpers/requires.ts';
import { startSystem, type TestSystem } from '../helpers/start-system.ts';
import { tempDir } from '../helpers/temp-dir.ts';

/** The first run on a machine downloads. */
const FETCH_TIMEOUT_MS = 240_000;

let system: TestSystem;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

describe.runIf(requires('GNU tar', 'apt-get', 'xz'))('packages of Debian', () => {
  it(
    'unpacks the source of a php wiki as GNU tar does, its one directory being the release',
    async () => {
      const file = await debianOriginal('dokuwiki', 'wordpress');
      await expectLikeGnuTar(file, `${topLevelOf(file)}.tar.gz`);
    },
    FETCH_TIMEOUT_MS,
  );

  it(
    'unpacks a source archive with symlinks as GNU tar does',
    async () => {
      await expectLikeGnuTar(await debianOriginal('docker-compose', 'git'));
    },
    FETCH_TIMEOUT_MS,
  );

  it(
    'puts a real jar where it belongs, byte for byte',
    async () => {
      const file = await debianJar('libguava-java');
      const filename = basename(file);
      expect(await system.deploy({ language: 'java', link_name: 'guava', file, filename })).toEqual(system.deployed);
      expect(readFileSync(join(system.agent.serviceDir, 'guava')).equals(readFileSync(file))).toBe(true);
      expect([...readTree(join(system.agent.serviceDir, '.deploy', filename)).values()]).toEqual([
        { ...[...readTree(file).values()][0], mode: 0o644, mtime: expect.any(Number), owner: ownOwner() },
      ]);
    },
    FETCH_TIMEOUT_MS,
  );
});

describe.runIf(requires('GNU tar', 'npm'))('tarballs of the npm registry', () => {
  it.each([
    ['thousands of files and no entries for directories', 'date-fns@3.6.0'],
    ['files that the group may write', 'jquery@1.6.2'],
    ['files that only their owner may read, directories with entries of their own', 'nodeunit@0.5.0'],
  ])(
    'unpacks %s (%s) as GNU tar does',
    async (_what, spec) => {
      await expectLikeGnuTar(await npmTarball(spec));
    },
    FETCH_TIMEOUT_MS,
  );
});

describe.runIf(requires('GNU tar'))('archives that GNU tar packed', () => {
  it.each(['gnu', 'pax', 'ustar'])(
    'unpacks %s archives with links, odd modes and long names as GNU tar does',
    async (format) => {
      const dir = tempDir();
      makeOddTree(join(dir, `odd-${format}`), format === 'ustar' ? 4 : 9);
      const file = join(dir, `odd-${format}.tar.gz`);
      execFileSync('tar', ['-czf', file, `--format=${format}`, '-C', dir, `odd-${format}`]);
      await expectLikeGnuTar(file);
    },
  );
});

/** What a deploy makes of a mode: no setuid, setgid or sticky, no writing for others; the owner can always read and write. */
function masked({ type, mode }: TreeEntry): number {
  if (type === 'symlink') return mode;
  return (mode & 0o755) | (type === 'directory' ? 0o700 : 0o600);
}

/** Deploys the archive and compares the release with what GNU tar makes of it: content, links, masked modes, times, owners. */
async function expectLikeGnuTar(file: string, name = basename(file)): Promise<void> {
  // Debian's names may have a `+`, ours may not.
  const filename = name.replace(/[^\w.-]/g, '-');
  const link = filename.replace(/\W/g, '-');
  expect(await system.deploy({ language: 'php', link_name: link, file, filename })).toEqual(system.deployed);
  const release = readTree(join(system.agent.serviceDir, `${link}/`));

  const reference = join(tempDir(), 'reference');
  const unpackedAt = Math.floor(Date.now() / 1000);
  // The umask counts for what no entry names; the modes of entries stay as they are archived.
  const unpack = 'umask 022; mkdir "$1"; exec tar --extract --gzip -p --no-same-owner --file "$2" -C "$1"';
  execFileSync('sh', ['-c', unpack, '--', reference, file]);
  const top = topLevelOf(file);
  const expected = readTree(top !== '' && filename.startsWith(`${top}.t`) ? join(reference, top) : reference);

  expect([...release.keys()]).toEqual([...expected.keys()]);
  const differences = [...expected].flatMap(([path, entry]) => {
    const found = release.get(path);
    // Directories that no entry names have the time at which they were made; so have those to which GNU tar came back later.
    const isTimeless = entry.type === 'directory' && entry.mtime >= unpackedAt;
    const wanted = { ...entry, mode: masked(entry), ...(isTimeless ? { mtime: found?.mtime } : {}) };
    return isDeepStrictEqual(found, wanted) ? [] : [{ path, found, wanted }];
  });
  expect(differences).toEqual([]);
}

function topLevelOf(file: string): string {
  const tops = new Set(listed(file).map((path) => path.split('/')[0] ?? ''));
  return tops.size === 1 ? ([...tops][0] ?? '') : '';
}

function listed(file: string): string[] {
  const list = execFileSync('tar', ['-tzf', file, '--quoting-style=literal'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
  });
  return list.split('\n').filter(Boolean);
}

function ownOwner(): string {
  return `${process.getuid?.()}:${process.getgid?.()}`;
}

/** What people's build servers pack, with all that is odd about it. ustar cannot hold paths of more than 256 characters. */
function makeOddTree(dir: string, levels: number): void {
  mkdirSync(join(dir, 'bin'), { recursive: true });
  const write = (path: string, mode: number) => {
    writeFileSync(join(dir, path), `content of ${path}\n`);
    execFileSync('chmod', [mode.toString(8), join(dir, path)]);
  };
  write('bin/run', 0o755);
  write('bin/setuid', 0o4755);
  write('bin/setgid', 0o2775);
  write('shared.txt', 0o666);
  write('secret.txt', 0o400);
  // Only root can pack what nobody may read, and remove it afterwards.
  const isRoot = process.getuid?.() === 0;
  write('nobody.txt', isRoot ? 0o000 : 0o400);
  write('空 格.txt', 0o644);
  write('empty', 0o644);
  writeFileSync(join(dir, 'empty'), '');
  linkSync(join(dir, 'bin/run'), join(dir, 'bin/run-too'));
  symlinkSync('bin/run', join(dir, 'start'));
  symlinkSync('../shared.txt', join(dir, 'bin/up-and-down'));
  symlinkSync('not/there', join(dir, 'dangling'));
  linkSync(join(dir, 'start'), join(dir, 'start-too'));
  const long = join(dir, ...Array.from({ length: levels }, (_, n) => `a-directory-with-a-rather-long-name-${n}`));
  mkdirSync(long, { recursive: true });
  writeFileSync(join(long, 'leaf.txt'), 'deep\n');
  cpSync(new URL('../fixtures', import.meta.url), join(dir, 'fixtures'), { recursive: true });
  const modes = { sticky: 0o1777, private: 0o700, readonly: isRoot ? 0o555 : 0o755, closed: isRoot ? 0o000 : 0o711 };
  for (const [path, mode] of Object.entries(modes)) {
    mkdirSync(join(dir, path));
    writeFileSync(join(dir, path, 'inside.txt'), `inside ${path}\n`);
    execFileSync('chmod', [mode.toString(8), join(dir, path)]);
  }
  utimesSync(join(dir, 'shared.txt'), 1_000_000_000, 1_000_000_000);
  utimesSync(join(dir, 'empty'), 0, 0);
  for (const path of ['.', 'bin', 'sticky', 'readonly']) utimesSync(join(dir, path), 1_100_000_000, 1_100_000_000);
}
