import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The files that an absolute pattern of supervisor's [include] matches, sorted as supervisor reads them. As in
 * Python's glob: `*`, `?` and `[…]` within one name, no name that begins with a dot unless the pattern says so.
 */
export async function globFiles(pattern: string): Promise<string[]> {
  let found = ['/'];
  for (const part of pattern.split('/').filter((piece) => piece !== '')) {
    const next = await Promise.all(found.map((dir) => matchesIn(dir, part)));
    found = next.flat();
  }
  return found.sort();
}

async function matchesIn(dir: string, part: string): Promise<string[]> {
  if (!/[*?[]/.test(part)) return (await exists(join(dir, part))) ? [join(dir, part)] : [];
  const matcher = new RegExp(`^${translate(part)}$`, 's');
  const names = await readdir(dir).catch(() => []);
  return names
    .filter((name) => matcher.test(name) && (part.startsWith('.') || !name.startsWith('.')))
    .map((name) => join(dir, name));
}

function translate(part: string): string {
  return part.replace(/\[(!?)([^\]]+)\]|[\s\S]/g, (piece, not: string | undefined, set: string | undefined) => {
    if (set !== undefined) return `[${not ? '^' : ''}${set.replace(/[\\^[]/g, '\\$&')}]`;
    if (piece === '*') return '[^/]*';
    return piece === '?' ? '[^/]' : piece.replace(/[\\^$.|+()[\]{}]/, '\\$&');
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
