import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { PROGRAMS, packageName } from '../../packaging/programs.ts';
import { writePackage } from '../../packaging/write-package.ts';
import { writeTree } from '../../packaging/write-tree.ts';
import { keptTempDir } from '../helpers/temp-dir.ts';
import { systemRequirements } from '../setup/system-requirements.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the packages lie, as `npm run package` makes them, and the trees that they were made of. */
    packages: string;
  }
}

/** Makes the packages once for all tests of a run. Where they cannot be made, the tests that need them are left out by themselves. */
export default async function buildPackages(project: TestProject): Promise<() => void> {
  const shared = keptTempDir();
  project.provide('packages', shared);
  mkdirSync(join(shared, 'trees'));
  if (systemRequirements.patchelf.isMet() && systemRequirements.libatomic.isMet()) {
    for (const program of PROGRAMS) {
      const name = packageName(program);
      await writeTree(program, join(shared, 'trees', name));
      await writePackage(join(shared, 'trees', name), join(shared, `${name}.tar.gz`));
    }
  }
  return () => rmSync(shared, { recursive: true });
}
