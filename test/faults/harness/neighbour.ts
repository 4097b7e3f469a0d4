import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf } from '@sampan/agent/host/processes.ts';
import { differences, packageOf, treeAt } from './package.ts';

/** Another project in the same base, with a program that runs from its release: nothing that happens to us may touch it. */
export interface Neighbour {
  /** What is not as it was, in words. */
  faults(): Promise<string[]>;
  /** Its program ends. */
  stop(): Promise<void>;
}

export const NEIGHBOUR = { project_name: 'till', link_name: 'till', language: 'php' } as const;
export const neighbourPackage = packageOf('till-7');

/** Watches the neighbour that was deployed to `base`, from now on. */
export async function watchNeighbour(base: string): Promise<Neighbour> {
  const link = join(base, NEIGHBOUR.link_name);
  const release = realpathSync(link);
  const program = spawn('sleep', ['100000'], { cwd: release, stdio: 'ignore' });
  await once(program, 'spawn');
  const before = await look(base, program);
  return {
    async faults() {
      const now = await look(base, program);
      return [
        ...Object.keys(before)
          .filter((key) => before[key] !== now[key])
          .map((key) => `the neighbour's ${key} was ${before[key]} and is ${now[key]}`),
        ...differences(treeAt(release), neighbourPackage.tree).map((difference) => `the neighbour's ${difference}`),
      ];
    },
    async stop() {
      const exited = once(program, 'exit');
      program.kill('SIGKILL');
      await exited;
    },
  };
}

async function look(base: string, program: ChildProcess): Promise<Record<string, string>> {
  const meta = join(base, '.deploy/.meta');
  const release = realpathSync(join(base, NEIGHBOUR.link_name));
  const { ino, ctimeMs } = lstatSync(release);
  return {
    link: readlinkSync(join(base, NEIGHBOUR.link_name)),
    release: `${ino} ${ctimeMs}`,
    manifest: readdirSync(meta)
      .filter((name) => name.startsWith('till-') && name.endsWith('.json'))
      .map((name) => readFileSync(join(meta, name), 'utf8'))
      .join(),
    program: `${program.pid} ${(await identityOf(program.pid ?? 0))?.startTicks}`,
  };
}
