import { hostname } from 'node:os';
import { type Expansions, expandValue } from './expand-value.ts';
import type { Ini, IniSection } from './ini.ts';

/** One process of a program (numprocs), as it is called within its group. Log paths are absent unless a file is named. */
export interface ProgramProcess {
  name: string;
  stdoutLog?: string;
  stderrLog?: string;
}

export interface Program {
  name: string;
  autostart: boolean;
  startSecs: number;
  stopWaitSecs: number;
  processes: ProgramProcess[];
}

/** What supervisor starts, stops and updates as one. A program that no [group:x] names is a group of its own name. */
export interface ProgramGroup {
  name: string;
  programs: Program[];
}

/** The groups that supervisor makes of these sections. Values that it would refuse count as absent. */
export function readGroups(ini: Ini): ProgramGroup[] {
  const programs = sectionsOf(ini, 'program');
  const grouped = new Set<string>();
  const groups = [...sectionsOf(ini, 'group')].map(([name, section]) => {
    const members = listOf(section, 'programs').filter((member) => programs.has(member));
    for (const member of members) grouped.add(member);
    return { name, programs: members.map((member) => readProgram(member, name, programs.get(member))) };
  });
  const alone = [...programs].filter(([name]) => !grouped.has(name));
  return [...groups, ...alone.map(([name, section]) => ({ name, programs: [readProgram(name, name, section)] }))];
}

/** Sections of one kind by name; supervisor strips the name, so that `[program: x]` is program x. */
export function sectionsOf(ini: Ini, kind: string): Map<string, IniSection> {
  const found = [...ini.values()].filter(({ name }) => name.startsWith(`${kind}:`));
  return new Map(found.map((section) => [section.name.slice(kind.length + 1).trim(), section]));
}

/** A comma-separated value, `[]` where it is absent. */
export function listOf(section: IniSection, key: string): string[] {
  const text = section.values.get(key)?.text;
  return text ? text.split(',').map((part) => part.trim()) : [];
}

/** The numbers of a program's processes: `numprocs` of them from `numprocs_start`. */
export function processNumbers(section: IniSection): number[] {
  const first = numberOf(section, 'numprocs_start', 0);
  return Array.from({ length: Math.min(numberOf(section, 'numprocs', 1), 10_000) }, (_, index) => first + index);
}

/** The names that supervisor itself defines for one process, `here` aside. */
export function processExpansions(process: {
  program: string;
  group: string;
  number: number;
  count: number;
}): Map<string, string | number> {
  return new Map<string, string | number>([
    ['program_name', process.program],
    ['group_name', process.group],
    ['process_num', process.number],
    ['numprocs', process.count],
    ['host_node_name', hostname()],
  ]);
}

/** Devices that supervisor can write a log to, if it does not try to rotate them. */
export function isDevice(path: string): boolean {
  return /^\/dev\/(stdout|stderr|null|fd\/[12])$/.test(path);
}

/** As supervisorctl calls a process: `group:process`, or the name alone where both are the same. */
export function namespec(group: string, process: string): string {
  return group === process ? process : `${group}:${process}`;
}

function readProgram(name: string, group: string, section: IniSection | undefined): Program {
  if (!section) return { name, autostart: true, startSecs: 1, stopWaitSecs: 10, processes: [] };
  const numbers = processNumbers(section);
  return {
    name,
    autostart: !/^(no|false|off|0)$/i.test(section.values.get('autostart')?.text ?? 'true'),
    startSecs: numberOf(section, 'startsecs', 1),
    stopWaitSecs: numberOf(section, 'stopwaitsecs', 10),
    processes: numbers.map((number) =>
      readProcess(section, processExpansions({ program: name, group, number, count: numbers.length })),
    ),
  };
}

function readProcess(section: IniSection, expansions: Expansions): ProgramProcess {
  const expanded = (text: string) => {
    const result = expandValue(text, expansions);
    return result.ok ? result.text : text;
  };
  const log = (key: string) => {
    const path = expanded(section.values.get(key)?.text ?? '');
    return path.startsWith('/') && !isDevice(path) ? path : undefined;
  };
  const [stdoutLog, stderrLog] = [log('stdout_logfile'), log('stderr_logfile')];
  return {
    name: expanded(section.values.get('process_name')?.text ?? '%(program_name)s'),
    ...(stdoutLog === undefined ? {} : { stdoutLog }),
    ...(stderrLog === undefined ? {} : { stderrLog }),
  };
}

function numberOf(section: IniSection, key: string, absent: number): number {
  const text = section.values.get(key)?.text ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : absent;
}
