import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { differences, type Package, treeAt } from './package.ts';

/** A base on a host, and every package that may stand there. */
export interface Base {
  dir: string;
  packages: ReadonlyMap<string, readonly Package[]>;
}

const SETTLES_WITHIN_MS = 3000;

/** The version that a link names: known by its content, whatever is written of it. Null: there is no link. @throws where it is not whole. */
export function versionAt(base: Base, linkName: string): string | null {
  const text = linkTextOf(join(base.dir, linkName));
  if (text === null) return null;
  return wholeVersion(base, resolve(base.dir, text));
}

/** I1: the link resolves to one whole release. */
export function linkFaults(base: Base, linkName: string): string[] {
  return faultsOf(() => versionAt(base, linkName), `I1 the link ${linkName}`);
}

/** I2 on the disk: what stands in `.deploy` is whole, and has the manifest that says so; no manifest stands alone. */
export function diskFaults({ dir, packages }: Base): string[] {
  const releasesDir = join(dir, '.deploy');
  const names = namesIn(releasesDir).filter((name) => !name.startsWith('.'));
  const meta = namesIn(join(releasesDir, '.meta'));
  return [
    ...names.flatMap((name) =>
      faultsOf(() => wholeVersion({ dir, packages }, join(releasesDir, name)), `I2 the release ${name}`),
    ),
    ...names.filter((name) => !meta.includes(`${name}.json`)).map((name) => `I2 ${name} has no manifest`),
    ...meta
      .filter((file) => !names.includes(file.replace(/\.(json|tree)$/, '')))
      .map((file) => `I2 .meta/${file} has no release`),
  ];
}

/** What work leaves behind: staging, temporary links, temporary manifests. */
export function leftovers({ dir }: Base): string[] {
  return [
    ...namesIn(dir).filter((name) => name.startsWith('.') && name !== '.deploy'),
    ...namesIn(join(dir, '.deploy/.staging')).map((name) => `.staging/${name}`),
    ...namesIn(join(dir, '.deploy/.meta')).filter((name) => name.startsWith('.')),
  ].map((name) => `left behind: ${name}`);
}

/** What is still wrong after a while: old releases go, and children end, behind an answer. */
export async function untilNone(look: () => string[] | Promise<string[]>): Promise<string[]> {
  const giveUpAt = performance.now() + SETTLES_WITHIN_MS;
  for (;;) {
    const found = await look();
    if (found.length === 0 || performance.now() > giveUpAt) return found;
    await delay(5);
  }
}

function wholeVersion({ packages }: Base, dir: string): string {
  const version = readFileSync(join(dir, 'version.txt'), 'utf8');
  const candidates = packages.get(version) ?? [];
  const found = treeAt(dir);
  const faults = candidates.map(({ tree }) => differences(found, tree));
  if (faults.some((fault) => fault.length === 0)) return version;
  throw new Error(`is not a whole ${version}: ${faults[0]?.join('; ') ?? 'never packed'}`);
}

/** None where there is no such directory: nothing has been deployed there yet. */
export function namesIn(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
}

function linkTextOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function faultsOf(look: () => unknown, what: string): string[] {
  try {
    look();
    return [];
  } catch (error) {
    return [`${what} ${(error as Error).message}`];
  }
}
