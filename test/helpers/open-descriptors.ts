import { readdirSync, readlinkSync } from 'node:fs';

/** How many descriptors of this process are open on `path`, deleted or not. */
export function descriptorsOf(path: string): number {
  return openPaths().filter((open) => open === path || open === `${path} (deleted)`).length;
}

/** What this process has open below `dir`, in no order. */
export function openBelow(dir: string): string[] {
  return openPaths().filter((open) => open.startsWith(`${dir}/`));
}

function openPaths(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      // The descriptor of the listing itself is closed by now.
      return [];
    }
  });
}
