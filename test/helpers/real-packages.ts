import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { systemCode } from '@sampan/shared/errors.ts';

const run = promisify(execFile);

/** Fetched once and kept, for each user apart: what Debian and npm carry under one version never changes. */
const CACHE = join(tmpdir(), `sampan-test-packages-${process.getuid?.()}`);
const FETCH_TIMEOUT_MS = 180_000;

/** The path of a registry's tarball, as it was published: `npmTarball('jquery@1.6.2')`. */
export async function npmTarball(spec: string): Promise<string> {
  return fetchOnce(`npm-${spec.replaceAll(/[@/]/g, '_')}`, '*.tgz', async (dir) => {
    await command(dir, 'npm', ['pack', '--silent', '--cache', join(dir, 'npm-cache'), spec]);
    rmSync(join(dir, 'npm-cache'), { recursive: true });
  });
}

/**
 * The source tarball of a Debian package, as its authors made it (`.orig.tar.gz`); the first of those named that this release
 * of Debian or Ubuntu has. Where it carries a `.tar.xz`, the same tar is compressed again.
 */
export async function debianOriginal(...sourcePackages: string[]): Promise<string> {
  return fetchOnce(`debian-${sourcePackages.join('-or-')}`, '*.orig.tar.gz', async (dir) => {
    await apt(
      dir,
      sourcePackages.map((name) => ['source', '--download-only', '--tar-only', name]),
    );
    const [xz] = globSync(join(dir, '*.orig.tar.xz'));
    if (xz) await command(dir, 'sh', ['-c', 'xz -dc "$1" | gzip -1 > "$2"', '--', xz, xz.replace(/xz$/, 'gz')]);
  });
}

/** The largest jar of a Debian package of a java library. */
export async function debianJar(binaryPackage: string): Promise<string> {
  return fetchOnce(`jar-${binaryPackage}`, '*.jar', async (dir) => {
    await apt(dir, [['download', binaryPackage]]);
    const [deb = ''] = globSync(join(dir, '*.deb'));
    await command(dir, 'dpkg-deb', ['-x', deb, join(dir, 'root')]);
    const [jar = ''] = globSync(join(dir, 'root/usr/share/java/*.jar'))
      .map((path) => ({ path, bytes: readFileSync(path).length }))
      .sort((a, b) => b.bytes - a.bytes)
      .map(({ path }) => path);
    writeFileSync(join(dir, basename(jar)), readFileSync(jar));
    rmSync(join(dir, 'root'), { recursive: true });
  });
}

/** Runs `fetch` in a fresh directory and keeps that under `name`: another process that does the same at once loses nothing. */
async function fetchOnce(name: string, wanted: string, fetch: (dir: string) => Promise<void>): Promise<string> {
  const kept = join(CACHE, name);
  if (!existsSync(kept)) {
    mkdirSync(CACHE, { recursive: true });
    const dir = mkdtempSync(join(CACHE, '.fetch-'));
    try {
      await fetch(dir);
      renameSync(dir, kept);
    } catch (error) {
      rmSync(dir, { recursive: true, force: true });
      if (systemCode(error) !== 'ENOTEMPTY') throw error;
    }
  }
  const [path] = globSync(join(kept, wanted));
  if (path === undefined) throw new Error(`${kept} holds no ${wanted}`);
  return path;
}

/** apt-get with lists of its own, of the machine's own archive; nothing of the machine's apt is changed. The first order that works. */
async function apt(dir: string, orders: string[][]): Promise<void> {
  const state = join(dir, 'apt');
  const options = Object.entries({
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(state, 'sources'),
    'Dir::State::lists': join(state, 'lists'),
    'Dir::Cache': join(state, 'cache'),
    'Acquire::Languages': 'none',
    // apt's own user may not write to a directory of root's.
    'APT::Sandbox::User': 'root',
  }).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  for (const part of ['sources', 'lists/partial', 'cache/archives/partial'])
    mkdirSync(join(state, part), { recursive: true });
  for (const [file, text] of distributionSources()) writeFileSync(join(state, 'sources', file), text);
  await command(dir, 'apt-get', ['-qq', ...options, 'update']);
  await firstThatWorks(orders.map((order) => () => command(dir, 'apt-get', ['-qq', ...options, ...order])));
  rmSync(state, { recursive: true });
}

async function firstThatWorks(attempts: (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const attempt of attempts) {
    try {
      return await attempt();
    } catch (error) {
      errors.push(error);
    }
  }
  throw new AggregateError(errors);
}

/** The machine's entries for its own distribution, sources included; those of others (node, docker) are left out. */
function distributionSources(): [file: string, text: string][] {
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';
  const files = [...globSync('/etc/apt/sources.list'), ...globSync('/etc/apt/sources.list.d/*.{list,sources}')];
  return files.map((file) => {
    const text = readFileSync(file, 'utf8');
    return [basename(file), file.endsWith('.sources') ? ofStanzas(text, codename) : ofLines(text, codename)];
  });
}

function ofStanzas(text: string, codename: string): string {
  return text
    .split(/\n\s*\n/)
    .filter((stanza) => new RegExp(`^Suites:.*\\b${codename}\\b`, 'm').test(stanza) && !/^Enabled:\s*no/im.test(stanza))
    .map((stanza) => stanza.replace(/^Types:.*$/m, 'Types: deb deb-src').trim())
    .join('\n\n')
    .concat('\n');
}

function ofLines(text: string, codename: string): string {
  return text
    .split('\n')
    .filter((line) => line.startsWith('deb ') && new RegExp(`\\s${codename}(-\\w+)?\\s`).test(line))
    .flatMap((line) => [line, line.replace(/^deb /, 'deb-src ')])
    .join('\n')
    .concat('\n');
}

async function command(cwd: string, file: string, args: string[]): Promise<void> {
  await run(file, args, { cwd, timeout: FETCH_TIMEOUT_MS, maxBuffer: 64 * 1024 ** 2 });
}
