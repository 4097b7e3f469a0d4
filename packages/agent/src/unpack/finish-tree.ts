import { lutimesSync, readdirSync, symlinkSync, utimesSync } from 'node:fs';
import type { ContentDir } from './content-dir.ts';
import { linkRefusal } from './link-refusal.ts';
import { refuseEntry } from './refuse-entry.ts';
import { DEFAULT_DIRECTORY_MODE, type StandingTree } from './standing-tree.ts';
import type { TreeLog } from './tree-log.ts';
import type { UnpackOrder } from './unpack-order.ts';

/**
 * Ends a tree whose files all stand: checks every symlink against the whole tree before the first is made, makes them,
 * gives directories their times, and closes the tree file.
 * @returns the directory that is the release: `version`, where that is a directory and all there is; else empty.
 * @throws ARCHIVE_ENTRY_REFUSED for a link that leads out.
 */
export function finishTree(
  tree: StandingTree,
  version: string,
  { content, log, order }: { content: ContentDir; log: TreeLog; order: UnpackOrder },
): string {
  const root = isAlone(version, { content, tree }) ? version : '';
  for (const [path, { target }] of tree.links) {
    const reason = linkRefusal(path, tree.links, { root, allowLinksTo: order.allowLinksTo });
    if (reason !== undefined) throw refuseEntry(path, reason, target);
  }
  for (const [path, { target, mtime }] of tree.links) {
    tree.current = path;
    symlinkSync(target, content.at(path));
    content.adopt(content.at(path));
    if (mtime !== undefined) lutimesSync(content.at(path), mtime, mtime);
    log.add([path, 'l', 0, 0, 0, target]);
  }
  for (const [path, { mode, mtime }] of tree.directories) {
    tree.current = path;
    if (mtime !== undefined) utimesSync(content.at(path), mtime, mtime);
    if (path !== '' || root === '') log.add([path, 'd', mode, 0, 0]);
  }
  content.open(tree.directories.get('')?.mode ?? DEFAULT_DIRECTORY_MODE);
  log.finish(root);
  return root;
}

function isAlone(
  name: string,
  { content, tree: { directories, links } }: { content: ContentDir; tree: StandingTree },
): boolean {
  return (
    directories.has(name) &&
    readdirSync(content.at('')).length === 1 &&
    ![...links.keys()].some((path) => !path.includes('/'))
  );
}
