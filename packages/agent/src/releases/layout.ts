import { basename, dirname, join, relative, resolve } from 'node:path';
import { DeployError } from '@sampan/shared/errors.ts';
import type { ProjectLanguage } from '@sampan/shared/languages.ts';
import { isName } from '@sampan/shared/names.ts';
import type { AgentConfig } from '../config.ts';

/** Where a release goes on this host: the link of one project. Names are checked, language is known. */
export interface Target {
  projectName: string;
  linkName: string;
  language: ProjectLanguage;
  /** golang only; empty for the others. */
  deployDir: string;
}

/** The same of the same target alone: no name has a slash in it. */
export function targetKey({ language, deployDir, projectName, linkName }: Target): string {
  return `${language}/${deployDir}/${projectName}/${linkName}`;
}

/** The paths of one target. */
export interface Layout {
  baseDir: string;
  /** `<base>/<link_name>`. */
  link: string;
  /** `<base>/.deploy`: a release stands here only once it is whole. */
  releasesDir: string;
  metaDir: string;
  stagingRoot: string;
}

/**
 * Where a target lies.
 * @throws INVALID_REQUEST for a golang directory that is missing, no name, or reserved.
 */
export function layoutOf(config: AgentConfig, target: Target): Layout {
  const template = config.languages[target.language].base_dir;
  const baseDir = resolve(fill(template, target, config));
  return { ...baseLayout(baseDir), link: join(baseDir, target.linkName) };
}

/** The link of a target; undefined for one that the configuration of today refuses. */
export function linkOf(config: AgentConfig, target: Target): string | undefined {
  try {
    return layoutOf(config, target).link;
  } catch {
    return undefined;
  }
}

export function baseLayout(baseDir: string): Omit<Layout, 'link'> {
  const releasesDir = join(baseDir, '.deploy');
  return { baseDir, releasesDir, metaDir: join(releasesDir, '.meta'), stagingRoot: join(releasesDir, '.staging') };
}

/** The log file of a project; the caller has checked `logname`. */
export function logFileOf(config: AgentConfig, target: Omit<Target, 'linkName'>, logname: string): string {
  const template = config.languages[target.language].log_file;
  return fill(template, target, config).replaceAll('{logname}', logname);
}

/** The text of a link to a release: relative, so that a base can be moved or mounted elsewhere. */
export function linkTargetOf(layout: Layout, release: string): string {
  return relative(layout.baseDir, join(layout.releasesDir, release));
}

/**
 * The release that a link's text names; undefined where it points out of `.deploy`, or where there is no link (null). Old,
 * absolute texts are understood.
 */
export function releaseOfLinkText(layout: Omit<Layout, 'link'>, text: string | null): string | undefined {
  if (text === null) return undefined;
  const path = resolve(layout.baseDir, text);
  const name = basename(path);
  return path === join(layout.releasesDir, name) && !name.startsWith('.') ? name : undefined;
}

/** The directory of a template that is the same for every project: `/opt/log/{project_name}/x` lies in `/opt/log`. */
export function fixedPartOf(template: string): string {
  return template.includes('{') ? dirname(`${template.slice(0, template.indexOf('{'))}x`) : template;
}

function fill(template: string, target: Pick<Target, 'projectName' | 'deployDir'>, config: AgentConfig): string {
  if (template.includes('{deploy_dir}')) assertDeployDir(target.deployDir, config);
  return template.replaceAll('{deploy_dir}', target.deployDir).replaceAll('{project_name}', target.projectName);
}

function assertDeployDir(deployDir: string, config: AgentConfig): void {
  if (!isName(deployDir)) {
    const found = deployDir === '' ? 'empty' : JSON.stringify(deployDir);
    throw new DeployError('INVALID_REQUEST', { field: 'deploy_dir', found, expected: 'a directory name' });
  }
  if (config.reserved_deploy_dirs.includes(deployDir)) {
    const expected = `none of the reserved names ${config.reserved_deploy_dirs.join(', ')}`;
    throw new DeployError('INVALID_REQUEST', { field: 'deploy_dir', found: JSON.stringify(deployDir), expected });
  }
}
