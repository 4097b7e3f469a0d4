import { readdir, readFile, readlink, realpath } from 'node:fs/promises';

/** Which process a pid is: a pid that is used again has another `startTicks`; a process whose parent died has another `parent`. */
export interface ProcessIdentity {
  parent: number;
  /** Clock ticks from boot to its start. */
  startTicks: number;
}

/** What a process shows of the files that it runs from. Both empty where /proc may not be read. */
export interface ProcessFiles {
  /** Real paths: its executable, working directory, open and mapped files. */
  paths: string[];
  /** Its arguments as it was given them, nothing resolved. */
  argv: string[];
}

/** The process behind a pid now; undefined once it has ended, a zombie included. */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const text = await quietly(readFile(`/proc/${pid}/stat`, 'utf8'));
  if (text === undefined) return undefined;
  // The command stands in parentheses and may contain anything, parentheses included.
  const [state, parent, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return undefined;
  return { parent: Number(parent), startTicks: Number(rest[17]) };
}

/** A process and all its descendants, itself first. */
export async function processTree(root: number): Promise<number[]> {
  const children = new Map<number, number[]>();
  for (const pid of await allPids()) {
    const identity = await identityOf(pid);
    if (identity) children.set(identity.parent, [...(children.get(identity.parent) ?? []), pid]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** What /proc says of a process that runs; one that has ended, or that may not be looked at, shows nothing. */
export async function filesOf(pid: number): Promise<ProcessFiles> {
  const dir = `/proc/${pid}`;
  const descriptors = (await quietly(readdir(`${dir}/fd`))) ?? [];
  const links = ['exe', 'cwd', ...descriptors.map((number) => `fd/${number}`)];
  const targets = await Promise.all(links.map((link) => quietly(readlink(`${dir}/${link}`))));
  const mapped = mappedFiles((await quietly(readFile(`${dir}/maps`, 'utf8'))) ?? '');
  const argv = ((await quietly(readFile(`${dir}/cmdline`, 'utf8'))) ?? '').split('\0').filter((part) => part !== '');
  const opened = targets.filter((path) => path?.startsWith('/')).map((path) => (path ?? '').replace(DELETED, ''));
  return { paths: [...new Set([...opened, ...mapped])], argv };
}

/** The environment that a process was started with; undefined where it may not be read. */
export async function environmentOf(pid: number): Promise<Map<string, string> | undefined> {
  const text = await quietly(readFile(`/proc/${pid}/environ`, 'utf8'));
  const pairs = text?.split('\0').map((pair) => /^([^=]+)=(.*)$/s.exec(pair));
  return pairs && new Map(pairs.flatMap((pair) => (pair ? [[pair[1] ?? '', pair[2] ?? '']] : [])));
}

/** The processes whose environment matches, as killIfSame takes them. Those whose environment may not be read do not match. */
export async function processesWhere(
  matches: (environment: ReadonlyMap<string, string>) => boolean,
): Promise<{ pid: number; startTime: string }[]> {
  const found: { pid: number; startTime: string }[] = [];
  for (const pid of await allPids()) {
    const identity = await identityOf(pid);
    const environment = identity && (await environmentOf(pid));
    if (environment && matches(environment)) found.push({ pid, startTime: String(identity.startTicks) });
  }
  return found;
}

/**
 * The releases below `releasesDir` that any running process shows: as executable, working directory, open or mapped
 * file, or argument. Processes that may not be looked at show nothing: run as root to see all.
 */
export async function releasesInUse(releasesDir: string): Promise<Set<string>> {
  const real = (await quietly(realpath(releasesDir))) ?? releasesDir;
  const found = new Set<string>();
  for (const pid of await allPids()) {
    const files = await filesOf(pid);
    for (const name of [...releasesShown(files, real), ...releasesShown(files, releasesDir)]) found.add(name);
  }
  return found;
}

/** The releases below `releasesDir` that a process shows. */
export function releasesShown({ paths, argv }: ProcessFiles, releasesDir: string): Set<string> {
  const prefix = `${releasesDir}/`;
  const names = paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length).split('/')[0]);
  // Arguments hide paths in the middle: `-Dhome=/…`, `-cp /a.jar:/b.jar`.
  for (const part of argv) {
    for (const piece of part.split(prefix).slice(1)) names.push(/^[^/:;,"'\s]*/.exec(piece)?.[0]);
  }
  return new Set(names.filter((name) => name !== undefined && name !== '' && !name.startsWith('.')) as string[]);
}

const DELETED = / \(deleted\)$/;

async function allPids(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

function mappedFiles(maps: string): string[] {
  return maps.split('\n').flatMap((line) => {
    const path = /^\S+ \S+ \S+ \S+ \d+ +(\/.*)$/.exec(line)?.[1];
    return path === undefined ? [] : [path.replace(DELETED, '')];
  });
}

/** Processes end while they are looked at, and those of others may be closed to us: both show nothing. */
async function quietly<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch {
    return undefined;
  }
}
