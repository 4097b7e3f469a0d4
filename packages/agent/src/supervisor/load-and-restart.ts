import { DeployError } from '@sampan/shared/errors.ts';
import { namespec, type ProgramGroup } from './program-groups.ts';
import type { ProjectPrograms } from './project-programs.ts';
import type { SupervisorHost } from './supervisor-host.ts';

/**
 * Loads what is new or changed of the project's groups, then restarts what that did not start: each process is
 * started once. Others' changes that are pending stay pending.
 * @returns what `restart` said, which proves nothing.
 * @throws DeployError SUPERVISOR_UNAVAILABLE; also where supervisor cannot read its configuration and a group of ours is not loaded yet.
 */
export async function loadAndRestart(
  programs: ProjectPrograms,
  { host, active }: { host: SupervisorHost; active: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<string> {
  const wait = { timeoutMs: longestWaitMs(programs) };
  const names = programs.groups.map(({ name }) => name);
  const { loaded, refusal } = await host.ctl.update([...names, ...programs.retired], wait, signal);
  if (refusal !== undefined) {
    const missing = names.filter((name) => !active.has(name));
    if (missing.length > 0) throw new DeployError('SUPERVISOR_UNAVAILABLE', { reason: refusal });
    // A broken file of somebody else must not keep us from restarting what supervisord has loaded long ago.
    host.log.warn(
      { refusal, programs: programs.title },
      'supervisor cannot reread; restarting with the config that it has',
    );
  }
  const selectors = [
    ...programs.groups.flatMap((group) => (loaded.has(group.name) ? notStarted(group) : [`${group.name}:*`])),
    ...programs.shared.map(({ name }) => name),
  ];
  return selectors.length === 0 ? '' : host.ctl.restart(selectors, wait, signal);
}

/** The processes that `update` loads without starting them: those of programs without autostart. */
function notStarted(group: ProgramGroup): string[] {
  const manual = group.programs.filter(({ autostart }) => !autostart);
  if (manual.length === group.programs.length) return manual.length === 0 ? [] : [`${group.name}:*`];
  return manual.flatMap(({ processes }) => processes.map(({ name }) => namespec(group.name, name)));
}

/** supervisorctl returns once all have stopped and stayed up for their `startsecs`, one group after the other. */
function longestWaitMs({ groups, shared }: ProjectPrograms): number {
  const programs = [...groups.flatMap((group) => group.programs), ...shared.map(({ program }) => program)];
  const seconds = programs.reduce((sum, { stopWaitSecs, startSecs }) => sum + stopWaitSecs + startSecs, 10);
  return Math.min(seconds * 1000, 2 ** 31 - 1);
}
