import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemCode } from '@sampan/shared/errors.ts';

/**
 * A release's tree as it was unpacked, one JSON array a line: path, type, mode, size, mtime in seconds, link target.
 * Size and mtime count for files, modes for files and directories, targets for links; elsewhere they are 0 or absent.
 * The first line is `{"format":1,"root":"app-1.2"}`, then blanks: paths are below `content/` of the unpacker, and the
 * release is the entry `root` in it, or all of it where `root` is empty.
 */
export type TreeLine =
  | [path: string, type: 'f', mode: number, size: number, mtime: number]
  | [path: string, type: 'd', mode: number, size: 0, mtime: 0]
  | [path: string, type: 'l', mode: 0, size: 0, mtime: 0, target: string];

/** The first line. It has the same length for every root of at most `maxRootBytes`, so that it can be written last. */
export function treeHeader(root: string, maxRootBytes: number): string {
  const text = JSON.stringify({ format: 1, root });
  return `${text}${' '.repeat(maxRootBytes - Buffer.byteLength(root))}\n`;
}

/** Looking at files is done in slices of this length: others get their turn. */
const SLICE_MS = 5;

/**
 * Whether a release still is what was unpacked: looks at each entry of its tree file. More files beside them are the
 * application's own. Yields to other work; rejects with the reason of `signal`.
 * @returns the first difference in words, or undefined where all is as it was.
 */
export async function verifyTree(
  treeFile: string,
  releaseRoot: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  return await firstIn(treeFile, { releaseRoot, lookFor: difference }, signal);
}

/**
 * Whether all that was unpacked is still there, whatever it says by now: an application may write to files that it brought.
 * @returns what is missing, or something else than it was, in words; undefined where nothing is.
 */
export async function findMissing(
  treeFile: string,
  releaseRoot: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  return await firstIn(treeFile, { releaseRoot, lookFor: differenceInType }, signal);
}

/** What is wrong with an entry that is there. */
type LookFor = (line: TreeLine, found: Stats, place: string) => string | undefined;

async function firstIn(
  treeFile: string,
  look: { releaseRoot: string; lookFor: LookFor },
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await using file = await open(treeFile);
    return await compare(file.readLines({ autoClose: false }), look, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (systemCode(error) === undefined && !(error instanceof SyntaxError)) throw error;
    return `its tree file cannot be read: ${(error as Error).message}`;
  }
}

async function compare(
  lines: AsyncIterable<string>,
  { releaseRoot, lookFor }: { releaseRoot: string; lookFor: LookFor },
  signal: AbortSignal,
): Promise<string | undefined> {
  let root: string | undefined;
  let sliceEnd = performance.now() + SLICE_MS;
  for await (const line of lines) {
    if (root === undefined) {
      root = rootIn(line);
      continue;
    }
    const said = lookAtEntry(JSON.parse(line) as TreeLine, { root, releaseRoot, lookFor });
    if (said !== undefined) return said;
    if (performance.now() < sliceEnd) continue;
    await nextTurn();
    signal.throwIfAborted();
    sliceEnd = performance.now() + SLICE_MS;
  }
  return root === undefined ? 'its tree file is empty' : undefined;
}

function rootIn(line: string): string {
  const header: unknown = JSON.parse(line);
  if (header instanceof Object && 'format' in header && header.format === 1) {
    if ('root' in header && typeof header.root === 'string') return header.root;
  }
  throw new SyntaxError(`its first line is ${line.trim()}`);
}

function lookAtEntry(
  line: TreeLine,
  { root, releaseRoot, lookFor }: { root: string; releaseRoot: string; lookFor: LookFor },
): string | undefined {
  const path = root === '' ? line[0] : line[0].slice(root.length + 1);
  const place = join(releaseRoot, path);
  const found = lookAt(place);
  const said = found === undefined ? 'is missing' : lookFor(line, found, place);
  return said === undefined ? undefined : `${path === '' ? 'the release' : path} ${said}`;
}

function lookAt(place: string): Stats | undefined {
  try {
    return lstatSync(place, { throwIfNoEntry: false });
  } catch (error) {
    // A file stands where a directory should.
    if (systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function differenceInType([, type]: TreeLine, found: Stats): string | undefined {
  return typeOf(found) === type ? undefined : `is ${NAMES[typeOf(found)]}, expected ${NAMES[type]}`;
}

function difference(line: TreeLine, found: Stats, place: string): string | undefined {
  const [, type, mode, size, mtime, target] = line;
  const otherType = differenceInType(line, found);
  if (otherType !== undefined) return otherType;
  if (type === 'l') {
    const text = readlinkSync(place);
    return text === target ? undefined : `points at ${text}, expected ${target}`;
  }
  const foundMode = found.mode & 0o7777;
  if (foundMode !== mode) return `has mode ${foundMode.toString(8)}, expected ${mode.toString(8)}`;
  if (type === 'd') return undefined;
  if (found.size !== size) return `has ${found.size} bytes, expected ${size}`;
  const foundMtime = Math.floor(found.mtimeMs / 1000);
  return foundMtime === mtime ? undefined : `was modified at ${foundMtime}, expected ${mtime}`;
}

const NAMES = { f: 'a file', d: 'a directory', l: 'a symlink', other: 'something else' };

function typeOf(stats: Stats): keyof typeof NAMES {
  if (stats.isFile()) return 'f';
  if (stats.isDirectory()) return 'd';
  return stats.isSymbolicLink() ? 'l' : 'other';
}
