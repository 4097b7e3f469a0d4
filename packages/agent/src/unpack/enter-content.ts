import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CONTENT_DIR, type UnpackOrder } from './unpack-order.ts';

const MODE = 0o755;

/**
 * Makes `content/`, goes into it, and becomes the owner for good, where that is somebody else: entries belong to him as
 * they are made, and nothing in an archive can reach what he cannot. From here on only relative paths and what is open
 * are used, for he need not be allowed into the directories above.
 * @throws EPERM where this process may not become him.
 */
export function enterContent({ stagingDir, owner }: UnpackOrder): void {
  const dir = join(stagingDir, CONTENT_DIR);
  mkdirSync(dir, MODE);
  if (owner !== null) chownSync(dir, owner.uid, owner.gid);
  process.chdir(dir);
  if (owner !== null) become(owner);
}

function become({ uid, gid }: { uid: number; gid: number }): void {
  if (process.geteuid?.() === uid && process.getegid?.() === gid) return;
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}
