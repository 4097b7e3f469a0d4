import { posix } from 'node:path';

/** The symlinks of an archive by their path below `content/`, each with what it says. */
export type LinkTexts = ReadonlyMap<string, { target: string }>;

/** Where a release ends, and where its links may still lead. */
export interface LinkBounds {
  /** The directory of `content/` that is the release; empty for all of it. */
  root: string;
  allowLinksTo: readonly string[];
}

/** As many links as Linux follows in one path before it says ELOOP: what is behind more cannot be reached. */
const MAX_FOLLOWED = 40;

/**
 * Why a symlink may not be made, or undefined where it stays inside the release, dangling or not, or at an allowed place.
 * Resolves as the kernel does, step by step and through the archive's other links: `a -> .`, `b -> a/..` leads out.
 */
export function linkRefusal(
  path: string,
  links: LinkTexts,
  { root, allowLinksTo }: LinkBounds,
): 'link_outside' | 'link_absolute' | undefined {
  const depthOfRoot = root === '' ? 0 : 1;
  const at: string[] = [];
  const ahead = path.split('/').reverse();
  let beyond = false;
  for (let part = ahead.pop(), followed = 0; part !== undefined; part = ahead.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      // Behind an absolute link nothing is known of the directories: `..` could lead anywhere.
      if (beyond || at.length <= depthOfRoot) return 'link_outside';
      at.pop();
      continue;
    }
    if (beyond) continue;
    at.push(part);
    const link = links.get(at.join('/'));
    if (link === undefined) continue;
    if (++followed > MAX_FOLLOWED) return undefined;
    at.pop();
    beyond = link.target.startsWith('/');
    if (beyond && !isAllowedAbsolute(link.target, allowLinksTo)) return 'link_absolute';
    ahead.push(...link.target.split('/').reverse());
  }
  return undefined;
}

/** Whether an absolute link may point there: at or below one of `allowed`, without any `..`. */
export function isAllowedAbsolute(target: string, allowed: readonly string[]): boolean {
  if (target.split('/').includes('..')) return false;
  const place = posix.normalize(target);
  return allowed.some((prefix) => `${place}/`.startsWith(`${posix.normalize(prefix).replace(/\/+$/, '')}/`));
}
