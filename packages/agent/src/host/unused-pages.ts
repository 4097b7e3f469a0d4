import { readFileSync } from 'node:fs';
import { libc } from './libc.ts';

const MADV_DONTNEED = 4;

/** A part of this process's address space. */
interface Mapping {
  start: bigint;
  end: bigint;
}

/**
 * Lets go of the pages of Node's own binary that this process has touched: code of its start and of past deploys, some 20 MiB,
 * which a process that waits does not need. What it does need comes back from the page cache, at its first touch. Only
 * mappings that nothing was ever written to are let go of, so what comes back is what was there.
 */
export function dropUnusedPages(): void {
  const functions = libc();
  if (!functions) return;
  for (const { start, end } of cleanMappings(readFileSync('/proc/self/smaps', 'utf8'), process.execPath)) {
    functions.madvise(start, end - start, MADV_DONTNEED);
  }
}

/** The mappings of `file` in what /proc/self/smaps says, that cannot be written to and never were. */
export function cleanMappings(smaps: string, file: string): Mapping[] {
  return smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap((entry) => {
    const [, start, end, permissions, path] = HEAD.exec(entry) ?? [];
    // A page that was written to through a private mapping is anonymous. One that counts as dirty may only not be on its disk yet.
    const isClean = /^Anonymous: +0 kB$/m.test(entry);
    if (path !== file || permissions?.includes('w') || !isClean) return [];
    return [{ start: BigInt(`0x${start}`), end: BigInt(`0x${end}`) }];
  });
}

const HEAD = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ +(.*)$/m;
