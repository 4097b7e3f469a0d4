import { readdirSync, readFileSync } from 'node:fs';

/** Memory of a process and all its descendants together, in MiB. */
export interface TreeMemory {
  /** What they hold resident, pages of files that more than one of them maps counted once: what ending them all would free. */
  resident: number;
  /** Resident pages summed up: those that several processes share are counted in each. */
  rss: number;
  /** Shared pages divided by the number of processes, of the whole machine, that share them. */
  pss: number;
  /** Heaps and stacks: pages that no file holds. */
  anonymous: number;
}

/** What the tree below `root` holds now. A process that ends meanwhile counts as nothing. */
export function treeMemory(root: number): TreeMemory {
  const rollups = treeOf(root).map((pid) => read(`/proc/${pid}/smaps_rollup`));
  const sum = (key: string) => rollups.reduce((total, rollup) => total + mebibytes(rollup, key), 0);
  const [rss, anonymous] = [sum('Rss'), sum('Anonymous')];
  // All but `sync` are the same program with the same libraries: what the one maps most of, the others map a part of.
  const files = Math.max(0, ...rollups.map((rollup) => mebibytes(rollup, 'Rss') - mebibytes(rollup, 'Anonymous')));
  return { resident: anonymous + files, rss, pss: sum('Pss'), anonymous };
}

function treeOf(root: number): number[] {
  const tree = [root];
  for (const pid of tree) tree.push(...childrenOf(pid));
  return tree;
}

/** Children are listed by the thread that started them. */
function childrenOf(pid: number): number[] {
  return threadsOf(pid).flatMap((thread) => {
    const listed = read(`/proc/${pid}/task/${thread}/children`).trim();
    return listed === '' ? [] : listed.split(' ').map(Number);
  });
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Ended since it was listed.
    return '';
  }
}

/** The kernel says kB and means 1,024 bytes. */
function mebibytes(text: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024;
}
