import { readlinkSync } from 'node:fs';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemCode } from '@sampan/shared/errors.ts';

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
  if (isBodiless(dir)) return { paths: [], argv: [] };
  // These two wait where the process itself waits for memory: not in our own thread.
  const maps = await quietly(readFile(`${dir}/maps`, 'utf8'));
  const argv = ((await quietly(readFile(`${dir}/cmdline`, 'utf8'))) ?? '').split('\0').filter((part) => part !== '');
  return { paths: [...new Set([...(await openedFiles(dir)), ...mappedFiles(maps ?? '')])], argv };
}

/** A thread of the kernel's, or a process that has ended. One that is not ours to look at is neither. */
function isBodiless(dir: string): boolean {
  try {
    readlinkSync(`${dir}/exe`);
    return false;
  } catch (error) {
    return systemCode(error) === 'ENOENT';
  }
}

/** Reading a link of /proc never waits, and is ten times the cheaper for not being handed to another thread. */
async function openedFiles(dir: string): Promise<string[]> {
  const descriptors = (await quietly(readdir(`${dir}/fd`))) ?? [];
  const links = ['exe', 'cwd', ...descriptors.map((number) => `fd/${number}`)];
  const paths: string[] = [];
  for (const [index, link] of links.entries()) {
    // Some processes have hundreds of thousands.
    if (index % LINKS_IN_A_TURN === LINKS_IN_A_TURN - 1) await nextTurn();
    const path = quietlyNow(() => readlinkSync(`${dir}/${link}`));
    if (path?.startsWith('/')) paths.push(withoutDeleted(path));
  }
  return paths;
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

const LINKS_IN_A_TURN = 500;

const DELETED = ' (deleted)';

/** A file that has no name any more, by the name that it had. */
function withoutDeleted(path: string): string {
  return path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path;
}

async function allPids(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

function mappedFiles(maps: string): string[] {
  // The path is the last field, and the only one with a slash in it. (Agents run without V8's compilers: patterns are slow there.)
  return maps.split('\n').flatMap((line) => {
    const at = line.indexOf(' /');
    return at === -1 ? [] : [withoutDeleted(line.slice(at + 1))];
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

function quietlyNow<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
