import type { Ini } from './ini.ts';
import { mergeFiles } from './installed-config.ts';
import { namespec, type Program, type ProgramGroup, readGroups, sectionsOf } from './program-groups.ts';
import type { ProgramStatus } from './supervisor-answers.ts';
import type { ProjectPlace } from './supervisor-host.ts';

/** The programs that a restart of a project is about. */
export interface ProjectPrograms {
  /** How a person would call them, for messages. */
  title: string;
  /** Groups that consist of the project's programs alone: they are updated and restarted whole. */
  groups: ProgramGroup[];
  /** Single processes in a group that other projects share: restarted by name, their group is never updated. */
  shared: { name: string; program: Program }[];
  /** Groups that the project's file defined once and no file defines now: `update` ends them. */
  retired: string[];
}

/** Whom a project's programs are looked up for. */
export interface ProgramQuestion {
  place: ProjectPlace;
  linkName: string;
  /** The groups that were the project's until now. */
  before: readonly string[];
  /** The config files of other projects: their programs are theirs, whatever our link is called. */
  claimed: ReadonlySet<string>;
}

/**
 * The programs of a project: those that its own config file defines; where it has none, the group or program called
 * like its link. Undefined where there is neither, by file or by what supervisord runs.
 */
export function findPrograms(
  { place, linkName, before, claimed }: ProgramQuestion,
  running: readonly ProgramStatus[],
): ProjectPrograms | undefined {
  const all = readGroups(mergeFiles(place.installed.files));
  const own = new Set(place.file ? sectionsOf(place.file.ini, 'program').keys() : []);
  const theirs = place.installed.files.filter(({ path }) => claimed.has(path));
  if (own.size === 0 && theirs.some(({ ini }) => defines(ini, linkName))) return undefined;
  const found = own.size > 0 ? ofPrograms(all, own) : byName(all, linkName, running);
  if (!found) return undefined;
  const active = new Set(running.map(({ group }) => group));
  const gone = [...before, ...own].filter((name) => active.has(name) && !all.some((group) => group.name === name));
  return { title: [...own].join(', ') || linkName, ...found, retired: own.size > 0 ? [...new Set(gone)] : [] };
}

/** Whether a process that supervisord runs is one of them. */
export function isOurs(process: ProgramStatus, { groups, shared }: ProjectPrograms): boolean {
  return groups.some(({ name }) => name === process.group) || shared.some(({ name }) => name === process.name);
}

function defines(ini: Ini, name: string): boolean {
  return sectionsOf(ini, 'program').has(name) || sectionsOf(ini, 'group').has(name);
}

type Found = Pick<ProjectPrograms, 'groups' | 'shared'>;

function ofPrograms(all: readonly ProgramGroup[], own: ReadonlySet<string>): Found {
  const groups = all.filter(({ programs }) => programs.length > 0 && programs.every(({ name }) => own.has(name)));
  const mixed = all.filter((group) => !groups.includes(group));
  const shared = mixed.flatMap((group) => processesOf(group, (program) => own.has(program.name)));
  return { groups, shared };
}

function byName(all: readonly ProgramGroup[], linkName: string, running: readonly ProgramStatus[]): Found | undefined {
  const group = all.find(({ name }) => name === linkName);
  if (group) return { groups: [group], shared: [] };
  const shared = all.flatMap((other) => processesOf(other, ({ name }) => name === linkName));
  if (shared.length > 0) return { groups: [], shared };
  // supervisord may run what no file that we can find defines.
  if (running.some((process) => process.group === linkName))
    return { groups: [{ name: linkName, programs: [] }], shared: [] };
  const unread = running.filter(({ name }) => name.endsWith(`:${linkName}`));
  return unread.length === 0
    ? undefined
    : { groups: [], shared: unread.map(({ name }) => ({ name, program: unknownProgram(linkName) })) };
}

function processesOf(group: ProgramGroup, chosen: (program: Program) => boolean): ProjectPrograms['shared'] {
  return group.programs
    .filter(chosen)
    .flatMap((program) => program.processes.map((process) => ({ name: namespec(group.name, process.name), program })));
}

function unknownProgram(name: string): Program {
  return { name, autostart: true, startSecs: 1, stopWaitSecs: 10, processes: [] };
}
