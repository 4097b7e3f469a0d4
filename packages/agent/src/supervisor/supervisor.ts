import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorText } from '@sampan/shared/error-text.ts';
import { DeployError } from '@sampan/shared/errors.ts';
import type { Logger } from '@sampan/shared/logger.ts';
import { ProjectRecords } from './project-records.ts';
import { recoverProgramConfigs } from './recover-configs.ts';
import type { ExpectedRelease } from './release-evidence.ts';
import { assertRestartable, type ProgramState, type RestartedProject, restartPrograms } from './restart-programs.ts';
import { type ReleasePlace, type RunningProgram, runningPrograms } from './running-programs.ts';
import { Serial } from './serial.ts';
import { SupervisorCtl } from './supervisor-ctl.ts';
import type { SupervisorHost, SupervisorSettings } from './supervisor-host.ts';
import { type ProgramConfigRequest, type WrittenConfig, writeProgramConfig } from './write-program-config.ts';

/**
 * All that the agent does with supervisord. What changes its state is done one thing at a time.
 * Everything throws what its `signal` was aborted with.
 */
export class Supervisor {
  readonly #host: SupervisorHost;
  readonly #turns = new Serial();

  constructor(settings: SupervisorSettings, log: Logger) {
    this.#host = {
      settings: { ...settings, logRoots: settings.logRoots.map((root) => resolve(root)) },
      ctl: new SupervisorCtl(settings.ctl),
      records: new ProjectRecords(settings.recordsDir),
      log,
    };
  }

  /**
   * Asked before a flip: is there something to restart, and somebody to do it?
   * @throws DeployError SUPERVISOR_UNAVAILABLE or PROGRAM_UNKNOWN.
   */
  async assertRestartable(project: RestartedProject, signal: AbortSignal): Promise<void> {
    await assertRestartable(project, { host: this.#host, turns: this.#turns }, signal);
  }

  /**
   * Restarts the project's programs, each once, loading what changed in their config, and resolves when each runs with
   * the same new pid through its startsecs and the settling time, from the expected release as far as /proc tells.
   * @throws DeployError RESTART_FAILED, PROGRAM_RUNS_OTHER_RELEASE, PROGRAM_UNKNOWN or SUPERVISOR_UNAVAILABLE.
   */
  async restart(project: RestartedProject, expected: ExpectedRelease, signal: AbortSignal): Promise<ProgramState[]> {
    const programs = await restartPrograms({ project, expected }, { host: this.#host, turns: this.#turns }, signal);
    this.#host.log.info({ project: project.projectName, programs }, 'programs restarted');
    return programs;
  }

  /**
   * What the project's programs really run from, which is not always what the link names.
   * @throws DeployError PROGRAM_UNKNOWN or SUPERVISOR_UNAVAILABLE.
   */
  async running(project: RestartedProject, place: ReleasePlace, signal: AbortSignal): Promise<RunningProgram[]> {
    return await runningPrograms({ project, place }, this.#host, signal);
  }

  /**
   * Checks and writes a project's config, and has supervisord read it; starts and stops nothing. All or nothing: on
   * failure the old file is back. The same text again writes nothing.
   * @throws DeployError PROGRAM_CONFIG_REFUSED, PROGRAM_CONFIG_REJECTED, OS_MISMATCH or SUPERVISOR_UNAVAILABLE.
   */
  async writeProgramConfig(request: ProgramConfigRequest, signal: AbortSignal): Promise<WrittenConfig> {
    const written = await this.#turns.run(() => writeProgramConfig(request, this.#host, signal), signal);
    this.#host.log.info({ project: request.projectName, ...written }, 'program config written');
    return written;
  }

  /** At start-up, before anything is served: puts back the configs whose replacement a crash has interrupted. */
  async recover(signal: AbortSignal): Promise<void> {
    const recovered = await this.#turns.run(() => recoverProgramConfigs(this.#host, signal), signal);
    if (recovered.length > 0) this.#host.log.warn({ recovered }, 'interrupted program configs were put back');
  }

  /** Whether the agent has programs under supervisord on this host, and whether supervisord answers; asked only where it has. */
  async check(signal: AbortSignal): Promise<{ configured: boolean; ok: boolean; detail: string }> {
    if (!(await this.#hasPrograms())) return { configured: false, ok: true, detail: 'no program of ours' };
    try {
      const { length } = await this.#host.ctl.status(signal);
      return { configured: true, ok: true, detail: `supervisord answers, ${length} processes` };
    } catch (error) {
      if (!DeployError.is(error)) throw error;
      return { configured: true, ok: false, detail: errorText(error, 'en') };
    }
  }

  async #hasPrograms(): Promise<boolean> {
    const { records } = this.#host;
    for (const project of await records.projects()) {
      const record = await records.read(project);
      if (record && (record.path === null || existsSync(record.path))) return true;
    }
    return false;
  }
}
