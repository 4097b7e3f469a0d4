import { DeployError } from '@sampan/shared/errors.ts';
import { loadAndRestart } from './load-and-restart.ts';
import { lastOutput } from './program-output.ts';
import { findPrograms, type ProjectPrograms } from './project-programs.ts';
import type { ProjectRecord } from './project-records.ts';
import { NotRunning, type Proof, proveRunning } from './prove-running.ts';
import { type ExpectedRelease, otherReleaseOf } from './release-evidence.ts';
import type { Serial } from './serial.ts';
import type { ProgramStatus } from './supervisor-answers.ts';
import { findProject, type SupervisorHost } from './supervisor-host.ts';

/** A process as supervisor names it, with its new pid. */
export interface ProgramState {
  name: string;
  state: string;
  pid: number;
}

/** Whose programs: by the project's config file, else by the name of its link. */
export interface RestartedProject {
  projectName: string;
  linkName: string;
}

/** What restarts work with: `turns` orders what changes supervisord's state. */
interface Restarting {
  host: SupervisorHost;
  turns: Serial;
}

/** @throws DeployError SUPERVISOR_UNAVAILABLE, or PROGRAM_UNKNOWN when a restart would find nothing to restart. */
export async function assertRestartable(
  project: RestartedProject,
  { host, turns }: Restarting,
  signal: AbortSignal,
): Promise<void> {
  const running = await host.ctl.status(signal);
  const { programs } = await programsOf(project, running, host);
  const active = new Set(running.flatMap(({ name, group }) => [name, group]));
  const missing = [...programs.groups, ...programs.shared].filter(({ name }) => !active.has(name));
  if (missing.length === 0) return;
  // In turn: while a new text is tried out, the answer would be about that text.
  const answer = await turns.run(() => host.ctl.reread(signal), signal);
  if ('refusal' in answer) throw new DeployError('SUPERVISOR_UNAVAILABLE', { reason: answer.refusal });
  const unknown = missing.find(({ name }) => answer.changes.get(name) !== 'available');
  if (unknown) throw new DeployError('PROGRAM_UNKNOWN', { program: unknown.name });
}

/** A restart in work: the proof it has to give, and what the failure of it would quote. */
interface Restarted extends Proof {
  since: Date;
  said: string;
}

/**
 * Loads what changed, restarts the rest, and proves that every process runs, as a new process, from the expected
 * release. Only the first part excludes others; while one project's programs settle, another's may restart.
 */
export async function restartPrograms(
  order: { project: RestartedProject; expected: ExpectedRelease },
  { host, turns }: Restarting,
  signal: AbortSignal,
): Promise<ProgramState[]> {
  const restarted = await turns.run(() => restart(order.project, host, signal), signal);
  const processes = await provenRunning(restarted, signal);
  for (const { name, pid } of processes) {
    const found = await otherReleaseOf(pid, order.expected);
    if (found === undefined) continue;
    throw new DeployError('PROGRAM_RUNS_OTHER_RELEASE', { program: name, found, expected: order.expected.releasePath });
  }
  return processes.map(({ name, state, pid }) => ({ name, state, pid }));
}

async function restart(project: RestartedProject, host: SupervisorHost, signal: AbortSignal): Promise<Restarted> {
  const running = await host.ctl.status(signal);
  const { programs, record } = await programsOf(project, running, host);
  const active = new Set(running.map(({ group }) => group));
  const since = new Date();
  const said = await loadAndRestart(programs, { host, active }, signal);
  await host.records.write(project.projectName, { ...record, groups: programs.groups.map(({ name }) => name) });
  const pidsBefore = new Map(running.map(({ name, pid }) => [name, pid]));
  return { programs, pidsBefore, since, said, settleMs: host.settings.settleMs, ctl: host.ctl };
}

/** Which programs are a project's, and what is remembered of them. @throws DeployError PROGRAM_UNKNOWN. */
export async function programsOf(
  { projectName, linkName }: RestartedProject,
  running: readonly ProgramStatus[],
  { settings, records }: SupervisorHost,
): Promise<{ programs: ProjectPrograms; record: ProjectRecord }> {
  const place = await findProject(settings, projectName);
  const record = await records.read(projectName);
  const claimed = new Set<string>();
  for (const other of await records.projects()) {
    const path = other === projectName ? null : (await records.read(other))?.path;
    if (path) claimed.add(path);
  }
  const programs = findPrograms({ place, linkName, before: record?.groups ?? [], claimed }, running);
  if (!programs) throw new DeployError('PROGRAM_UNKNOWN', { program: linkName });
  return { programs, record: { groups: [], ...record, path: place.file ? place.path : null } };
}

async function provenRunning(restarted: Restarted, signal: AbortSignal): Promise<ProgramStatus[]> {
  try {
    return await proveRunning(restarted, signal);
  } catch (error) {
    if (!(error instanceof NotRunning)) throw error;
    const { name } = error.process;
    const output = [reasonFor(error, restarted.said), await lastOutput(name, restarted, signal)];
    throw new DeployError('RESTART_FAILED', {
      program: name,
      state: error.state,
      output: output.filter((text) => text !== '').join('\n'),
    });
  }
}

/** Why supervisor itself could not start or keep it; the other states' descriptions are times. */
function reasonFor({ process }: NotRunning, said: string): string {
  if (process.state === 'FATAL' || process.state === 'BACKOFF') return process.description;
  const prefix = `${process.name}: ERROR `;
  return (
    said
      .split('\n')
      .find((line) => line.startsWith(prefix))
      ?.slice(prefix.length) ?? ''
  );
}
