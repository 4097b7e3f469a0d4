import { filesOf, processTree, releasesShown } from '../host/processes.ts';
import { isOurs } from './project-programs.ts';
import { programsOf, type RestartedProject } from './restart-programs.ts';
import type { SupervisorHost } from './supervisor-host.ts';

/** A process of a project as it runs now. */
export interface RunningProgram {
  name: string;
  state: string;
  pid: number;
  /** The release that it or a descendant of it runs from, and what shows that; empty where nothing shows one. */
  release: string;
  evidence: string;
}

/** Where releases lie, as a real path, and which of them are the project's. */
export interface ReleasePlace {
  deployDir: string;
  releases: readonly string[];
}

/**
 * What each process of a project runs from, by executable, working directory, open or mapped files, and arguments.
 * @throws DeployError PROGRAM_UNKNOWN or SUPERVISOR_UNAVAILABLE; what `signal` was aborted with.
 */
export async function runningPrograms(
  { project, place }: { project: RestartedProject; place: ReleasePlace },
  host: SupervisorHost,
  signal: AbortSignal,
): Promise<RunningProgram[]> {
  const status = await host.ctl.status(signal);
  const { programs } = await programsOf(project, status, host);
  const ours = status.filter((process) => isOurs(process, programs));
  return await Promise.all(
    ours.map(async ({ name, state, pid }) => {
      const shown = pid === 0 ? undefined : await releaseShown(pid, place);
      return { name, state, pid, ...(shown ?? { release: '', evidence: '' }) };
    }),
  );
}

async function releaseShown(
  pid: number,
  { deployDir, releases }: ReleasePlace,
): Promise<Pick<RunningProgram, 'release' | 'evidence'> | undefined> {
  for (const member of await processTree(pid)) {
    const files = await filesOf(member);
    const shown = releasesShown(files, deployDir);
    const release = releases.find((name) => shown.has(name));
    if (release === undefined) continue;
    const path = `${deployDir}/${release}`;
    const evidence = files.paths.find((file) => file === path || file.startsWith(`${path}/`));
    return { release, evidence: evidence ?? `argument ${files.argv.find((word) => word.includes(path)) ?? ''}` };
  }
  return undefined;
}
