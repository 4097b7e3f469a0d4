import { readdirSync, readFileSync } from 'node:fs';

/** Memory of a process and all its descendants together, in MiB. */
export interface TreeMemory {
  /** Resident pages summed up: those that several processes share are counted in each. */
  rss: number;
  /** Shared pages divided by the number of processes, of the whole machine, that share them. */
  pss: number;
  /** Heaps and stacks: pages that no file holds. */
  anonymous: number;
}

/** What the tree below `root` holds now. A process that ends meanwhile counts as nothing. */
export function treeMemory(root: number): TreeMemory {
  const total = { rss: 0, pss: 0, anonymous: 0 };
  for (const pid of treeOf(root)) {
    const rollup = read(`/proc/${pid}/smaps_rollup`);
    total.rss += mebibytes(rollup, 'Rss');
    total.pss += mebibytes(rollup, 'Pss');
    total.anonymous += mebibytes(rollup, 'Anonymous');
  }
  return total;
}

/** The most that one process has ever held resident, as the kernel counted it, in MiB. */
export function highWater(pid: number): number {
  return mebibytes(read(`/proc/${pid}/status`), 'VmHWM');
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
