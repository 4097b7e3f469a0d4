import type { Logger } from '@sampan/shared/logger.ts';
import { readConfigFile } from './config-file.ts';
import { configPaths } from './config-path.ts';
import { hostFamily } from './host-family.ts';
import { type InstalledConfig, readInstalledConfig } from './installed-config.ts';
import type { ProjectRecords } from './project-records.ts';
import type { SupervisorCtl } from './supervisor-ctl.ts';

/** How supervisord is reached on this host, and where its files are. */
export interface SupervisorSettings {
  /** The supervisorctl command with its options. */
  ctl: readonly string[];
  /** `auto`, or a template with {project_name}. */
  confFile: string;
  /** For how long a process must go on running once supervisor says RUNNING. */
  settleMs: number;
  /** The directories that log files of programs may be in. */
  logRoots: readonly string[];
  /** Where the agent keeps what it knows of each project's programs. */
  recordsDir: string;
}

/** What the supervisor functions work with. */
export interface SupervisorHost {
  settings: SupervisorSettings;
  ctl: SupervisorCtl;
  records: ProjectRecords;
  log: Logger;
}

/** supervisord's configuration as it is now, and a project's place in it. */
export interface ProjectPlace {
  installed: InstalledConfig;
  /** The project's config file, or where it would be written. */
  path: string;
  exists: boolean;
}

/** Finds the config file of a project: the one that is there, else the best place for one. */
export async function findProject(settings: SupervisorSettings, projectName: string): Promise<ProjectPlace> {
  const installed = await readInstalledConfig(settings.ctl);
  const place = { confFile: settings.confFile, includes: installed.includes, family: await hostFamily() };
  const paths = configPaths(place, projectName);
  for (const path of paths) {
    if (await readConfigFile(path)) return { installed, path, exists: true };
  }
  return { installed, path: paths[0] ?? '', exists: false };
}
