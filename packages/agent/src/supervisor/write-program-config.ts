import { dirname } from 'node:path';
import { resolveOwner } from '../host/owner.ts';
import { environmentOf } from '../host/processes.ts';
import { type CheckedConfig, checkProgramConfig } from './check-program-config.ts';
import { assertNamesFree } from './foreign-names.ts';
import { assertFamily, hostFamily } from './host-family.ts';
import type { InstalledConfig } from './installed-config.ts';
import { assertLogFilesSafe, makeLogDirectories } from './log-directories.ts';
import { namespec } from './program-groups.ts';
import { refusal } from './refuse.ts';
import { findProject, type ProjectPlace, type SupervisorHost } from './supervisor-host.ts';
import { tryOutConfig } from './try-out-config.ts';

/** The config of one project's programs. */
export interface ProgramConfigRequest {
  projectName: string;
  text: string;
  /** centos, ubuntu or empty. */
  osSystem: string;
}

export interface WrittenConfig {
  path: string;
  /** The processes that supervisor now knows from it, as supervisorctl calls them. */
  programs: string[];
  unchanged: boolean;
}

/**
 * Checks a config, writes it where supervisord's [include] looks and has it read; nothing is started or stopped.
 * When supervisor does not know the programs afterwards, the old file comes back and is read again.
 * @throws DeployError PROGRAM_CONFIG_REFUSED, PROGRAM_CONFIG_REJECTED, OS_MISMATCH or SUPERVISOR_UNAVAILABLE.
 */
export async function writeProgramConfig(
  request: ProgramConfigRequest,
  host: SupervisorHost,
  signal: AbortSignal,
): Promise<WrittenConfig> {
  assertFamily(request.osSystem, await hostFamily());
  const place = await findProject(host.settings, request.projectName);
  const checked = await check(request, { place, host }, signal);
  await host.ctl.pid(signal);
  await makeLogDirectories(checked.logFiles);
  // The text may hold passwords in environment=; supervisord reads it as root all the same.
  const content = { bytes: Buffer.from(request.text), mode: checked.setsEnvironment ? 0o600 : 0o644 };
  const groups = checked.groups.map(({ name }) => name);
  const unchanged = await tryOutConfig({ projectName: request.projectName, place, content, groups }, host, signal);
  const programs = checked.groups.flatMap(({ name, programs }) =>
    programs.flatMap(({ processes }) => processes.map((process) => namespec(name, process.name))),
  );
  return { path: place.path, programs: programs.sort(), unchanged };
}

/** Everything that can be known before a file is touched. */
async function check(
  { text }: ProgramConfigRequest,
  { place, host }: { place: ProjectPlace; host: SupervisorHost },
  signal: AbortSignal,
): Promise<CheckedConfig> {
  const { settings } = host;
  const here = dirname(place.path);
  const environment = text.includes('%(ENV_')
    ? await environmentOfSupervisord(place.installed, host, signal)
    : new Map();
  const checked = checkProgramConfig(text, { here, logRoots: settings.logRoots, environment });
  assertNamesFree(
    checked.names,
    place.installed.files.filter((file) => file !== place.file),
  );
  for (const { where, name } of checked.users) await assertUserKnown(where, name, signal);
  await assertLogFilesSafe(checked.logFiles, settings.logRoots);
  return checked;
}

async function environmentOfSupervisord(
  installed: InstalledConfig,
  { ctl }: SupervisorHost,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const inherited = await environmentOf(await ctl.pid(signal));
  return new Map([...(inherited ?? []), ...installed.environment]);
}

async function assertUserKnown(where: string, name: string, signal: AbortSignal): Promise<void> {
  try {
    await resolveOwner(name, signal);
  } catch {
    signal.throwIfAborted();
    throw refusal(where, name, 'a user that this host knows');
  }
}
