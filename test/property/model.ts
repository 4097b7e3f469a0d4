import type { HostUnderTest } from './host-under-test.ts';
import { KEEP } from './mortal-agent.ts';
import type { Asked } from './orders.ts';
import { projects } from './projects.ts';

/** An order whose caller was told nothing, or has not come back yet. */
export interface Pending {
  asked: Asked;
  /** Somebody has worked on its link since. */
  isOvertaken: boolean;
}

/** What must be so, by what was asked and told: the content that each project's link leads to, and who may ask again. */
export interface Model {
  current: (string | null)[];
  pending: Pending[];
  /** How many releases of a project at most are kept for somebody who may come back. */
  pinned: number[];
}

export function newModel(): Model {
  return { current: projects.map(() => null), pending: [], pinned: projects.map(() => 0) };
}

/** What somebody works on now is not as it was for those who come back later. */
export function overtake(model: Model, project: number, projectOfPending: (pending: Pending) => number): void {
  for (const pending of model.pending) if (projectOfPending(pending) === project) pending.isOvertaken = true;
}

/** What is violated as things stand, once nothing goes on any more. Empty: nothing. */
export async function violations(model: Model, host: HostUnderTest): Promise<string[]> {
  const found = await host.faults();
  if (found.length > 0) return found;
  for (const project of projects.keys()) {
    const now = host.contentAt(project);
    if (now !== model.current[project]) found.push(`${now} is current, expected ${model.current[project]}`);
    const { length } = await host.listed(project);
    // The current one, and the one just left, whatever their age.
    const most = KEEP + 2 + (model.pinned[project] ?? 0);
    if (length > most) found.push(`${length} releases of project ${project} are kept, expected at most ${most}`);
  }
  return found;
}
