import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROGRAMS, packageName } from './programs.ts';
import { writePackage } from './write-package.ts';
import { writeTree } from './write-tree.ts';

// `npm run package [-- DIR]`: both programs as they are installed, into dist/ or DIR. The same sources make the same bytes.
const outDir = process.argv[2] ?? fileURLToPath(new URL('../dist', import.meta.url));

await mkdir(outDir, { recursive: true });
const work = await mkdtemp(join(tmpdir(), 'sampan-package-'));
try {
  for (const program of PROGRAMS) {
    const name = packageName(program);
    await writeTree(program, join(work, name));
    const file = join(outDir, `${name}.tar.gz`);
    await writePackage(join(work, name), file);
    console.log(file);
  }
} finally {
  await rm(work, { recursive: true });
}
