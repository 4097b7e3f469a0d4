import { DeployError } from '@sampan/shared/errors.ts';
import { type FileContent, putConfigFile, readConfigFile } from './config-file.ts';
import { readInstalledConfig } from './installed-config.ts';
import { contentBefore, type ProjectRecord } from './project-records.ts';
import { fileNamedIn, oneLine } from './refused-config.ts';
import type { ProjectPlace, SupervisorHost } from './supervisor-host.ts';

/** A checked text on its way into supervisord. */
export interface Trial {
  projectName: string;
  place: ProjectPlace;
  content: FileContent;
  groups: string[];
}

/** Putting the old file back has its own time: what failed may have been the caller's. */
const RESTORE_DEADLINE_MS = 60_000;

/**
 * Writes the text and has it read. When supervisor then does not know its groups, the old file is put back and read again.
 * @returns whether the file held these bytes already.
 * @throws DeployError PROGRAM_CONFIG_REJECTED or SUPERVISOR_UNAVAILABLE.
 */
export async function tryOutConfig(trial: Trial, host: SupervisorHost, signal: AbortSignal): Promise<boolean> {
  const { projectName, content } = trial;
  const { path } = trial.place;
  const record = await host.records.read(projectName);
  const current = await readConfigFile(path);
  // A crash may have left a text that was never confirmed: what counts as old is what stood there before it.
  const interrupted = record?.path === path ? record.trying : undefined;
  const previous = interrupted ? contentBefore(interrupted) : current;
  const inPlace = current?.bytes.equals(content.bytes) ?? false;
  const unchanged = inPlace && interrupted === undefined;
  const groups = [...new Set([...(record?.groups ?? []), ...trial.groups])];
  if (!unchanged) await host.records.write(projectName, { path, groups, trying: before(previous) });
  if (!inPlace) await putConfigFile(path, content);
  try {
    await assertKnown(trial, host, signal);
  } catch (error) {
    throw unchanged ? error : await restore(error, { projectName, path, previous, record }, host);
  }
  await host.records.write(projectName, { path, groups });
  return unchanged;
}

function before(previous: FileContent | undefined): NonNullable<ProjectRecord['trying']> {
  return { previous: previous?.bytes.toString('base64') ?? null, mode: previous?.mode ?? 0 };
}

/** @throws DeployError PROGRAM_CONFIG_REJECTED when supervisor, having reread, does not know every group. */
async function assertKnown({ place, groups }: Trial, { ctl }: SupervisorHost, signal: AbortSignal): Promise<void> {
  const answer = await ctl.reread(signal);
  if ('refusal' in answer) throw new DeployError('PROGRAM_CONFIG_REJECTED', { reason: oneLine(answer.refusal) });
  const unnamed = groups.filter((group) => !['available', 'changed'].includes(answer.changes.get(group) ?? ''));
  if (unnamed.length === 0) return;
  // What `reread` does not name is loaded and unchanged, or nothing that it has seen.
  const loaded = new Set((await ctl.status(signal)).map(({ group }) => group));
  const unknown = unnamed.filter((group) => !loaded.has(group) || answer.changes.has(group));
  if (unknown.length === 0) return;
  const reason = `it does not know ${unknown.join(', ')}: no [include] of ${place.installed.main ?? 'supervisord.conf'} reads ${place.path}`;
  throw new DeployError('PROGRAM_CONFIG_REJECTED', { reason });
}

interface Undo {
  projectName: string;
  path: string;
  previous: FileContent | undefined;
  record: ProjectRecord | undefined;
}

/** Puts the old file back and has it read. @returns the error to report. */
async function restore(error: unknown, undo: Undo, host: SupervisorHost): Promise<unknown> {
  const { projectName, path, previous, record } = undo;
  await putConfigFile(path, previous);
  if (record) await host.records.write(projectName, { path: record.path, groups: record.groups });
  else await host.records.remove(projectName);
  try {
    const answer = await host.ctl.reread(AbortSignal.timeout(RESTORE_DEADLINE_MS));
    if (!('refusal' in answer) || !DeployError.is(error, 'PROGRAM_CONFIG_REJECTED')) return error;
    return await blame(error, answer.refusal, { path, host });
  } catch (cause) {
    host.log.warn({ err: cause, path }, 'the old program config is back, but supervisord did not reread it');
    return error;
  }
}

/** Supervisor refuses the old state too: the fault is in a file of somebody else, unless our old file was broken as well. */
async function blame(
  error: DeployError,
  words: string,
  { path, host }: { path: string; host: SupervisorHost },
): Promise<DeployError> {
  const { files } = await readInstalledConfig(host.settings.ctl);
  const broken = fileNamedIn(words) ?? files.find((file) => file.fault !== undefined && file.path !== path)?.path;
  if (broken === path) return error;
  const reason = `${broken ?? 'a file'}, which is not this project's, is broken: ${oneLine(words)}`;
  return new DeployError('PROGRAM_CONFIG_REJECTED', { reason }, { cause: error });
}
