import { basename } from 'node:path';
import { filesOf, processTree, releasesShown } from '../host/processes.ts';

/** What a restarted program must run from. */
export interface ExpectedRelease {
  /** The real path of the release. */
  releasePath: string;
  /** The directory that holds it and the others, `<base>/.deploy`, as a real path. */
  deployDir: string;
  /**
   * The names of the releases of the same project and link. Given, only these are another release, and one is enough;
   * absent, any other in `deployDir` is, but only for a program that shows nothing of the expected one.
   */
  siblings?: readonly string[];
}

/** The other release that a process and its descendants run from, as a path; undefined where /proc does not tell of any. */
export async function otherReleaseOf(pid: number, expected: ExpectedRelease): Promise<string | undefined> {
  const shown = new Set<string>();
  for (const member of await processTree(pid)) {
    for (const name of releasesShown(await filesOf(member), expected.deployDir)) shown.add(name);
  }
  const other = judge(shown, expected);
  return other === undefined ? undefined : `${expected.deployDir}/${other}`;
}

/** Several projects share one directory: a program may well use what another of them deploys, a JDK for one. */
export function judge(shown: ReadonlySet<string>, { releasePath, siblings }: ExpectedRelease): string | undefined {
  const own = basename(releasePath);
  const others = [...shown].filter((name) => name !== own).sort();
  if (siblings) return others.find((name) => siblings.includes(name));
  return shown.has(own) ? undefined : others[0];
}
