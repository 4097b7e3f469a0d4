import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { keptTempDir } from '../../../helpers/temp-dir.ts';
import { unmount } from '../small-disk.ts';

const PROGRAM = fileURLToPath(new URL('main.ts', import.meta.url));
const MIB = 1024 ** 2;

/** An ext4 whose every write is written down, mounted at `dir`; and later, at the same place, one made of what was written. */
export interface RecordedDisk {
  dir: string;
  /** The disk when the recording began, and what it was told since (see write-log.ts). */
  image: Buffer;
  log(): Buffer;
  /** From now on nothing is recorded; what stands at `dir` is the given disk, after its journal was replayed. */
  replaceBy(disk: Buffer): void;
  remove(): Promise<void>;
}

export async function mountRecordedDisk(mib: number): Promise<RecordedDisk> {
  const work = keptTempDir();
  const [dir, fuseDir, image, log] = ['mounted', 'fuse', 'image', 'log'].map((name) => join(work, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const path of [dir, fuseDir]) mkdirSync(path);
  for (const path of [image, log]) writeFileSync(path, '');
  execFileSync('truncate', ['-s', String(mib * MIB), image]);
  execFileSync('mkfs.ext4', ['-q', '-E', 'nodiscard,lazy_itable_init=0,lazy_journal_init=0', image]);
  const bytes = readFileSync(image);
  const server = spawn(process.execPath, [PROGRAM, fuseDir, image, log, dir], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(server, 'exit');
  await Promise.race([once(createInterface({ input: server.stdout }), 'line'), exited]);
  execFileSync('mount', ['-o', 'loop', join(fuseDir, 'disk'), dir]);
  let replays = 0;
  return {
    dir,
    image: bytes,
    log: () => readFileSync(log),
    replaceBy(disk) {
      unmount(dir);
      // A file of its own each time: while somebody has a file open on the disk before, its loop device stays, and mount(8) takes
      // the device that a file has already, with cached blocks of what the file held then.
      const replayed = join(work, `replayed-${replays++}`);
      writeFileSync(replayed, disk);
      execFileSync('mount', ['-o', 'loop', replayed, dir]);
      rmSync(replayed);
    },
    async remove() {
      server.stdin.end();
      await exited;
      rmSync(work, { recursive: true, force: true });
    },
  };
}
