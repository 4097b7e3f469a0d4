import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Logger } from '@sampan/shared/logger.ts';
import { configPaths } from './config-path.ts';
import { hostFamily } from './host-family.ts';
import { type ConfigFile, type InstalledConfig, readInstalledConfig } from './installed-config.ts';
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
  /** That file as supervisord reads it; undefined where there is none, or none that it reads. */
  file: ConfigFile | undefined;
}

/** Finds the config file of a project: the one that is there, else the best place for one. */
export async function findProject(settings: SupervisorSettings, projectName: string): Promise<ProjectPlace> {
  const installed = await readInstalledConfig(settings.ctl);
  const place = { confFile: settings.confFile, includes: installed.includes, family: await hostFamily() };
  const paths = configPaths(place, projectName);
  for (const path of paths) {
    const file = await fileAt(path, installed.files);
    if (file) return { installed, path, file };
  }
  return { installed, path: paths[0] ?? '', file: undefined };
}

/** An [include] and conf_file may name one directory in two ways, through links. */
async function fileAt(path: string, files: readonly ConfigFile[]): Promise<ConfigFile | undefined> {
  const wanted = await realDirectory(path);
  for (const file of files) {
    if ((await realDirectory(file.path)) === wanted) return file;
  }
  return undefined;
}

async function realDirectory(path: string): Promise<string> {
  const dir = await realpath(dirname(path)).catch(() => dirname(path));
  return join(dir, basename(path));
}
