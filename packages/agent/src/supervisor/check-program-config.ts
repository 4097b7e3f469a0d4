import { isName } from '@sampan/shared/names.ts';
import { checkProcesses, type LogFile } from './check-processes.ts';
import type { Ini, IniSection } from './ini.ts';
import { listOf, type ProgramGroup, readGroups, sectionsOf } from './program-groups.ts';
import { type expandedKeys, groupKeys, plainKeys, programKeys } from './program-keys.ts';
import { readProgramText } from './read-program-text.ts';
import { refusal } from './refuse.ts';

/** What a text is checked against that is not in it. */
export interface CheckFacts {
  /** The directory that the file will stand in: `%(here)s`. */
  here: string;
  logRoots: readonly string[];
  /** The environment of supervisord, and what its own `environment=` adds: `%(ENV_X)s`. */
  environment: ReadonlyMap<string, string>;
}

/** A text that passed, and what of it can only be asked of the host. */
export interface CheckedConfig {
  groups: ProgramGroup[];
  /** Every program and group that it defines. */
  names: string[];
  users: { where: string; name: string }[];
  logFiles: LogFile[];
  setsEnvironment: boolean;
}

/**
 * Checks a program config: only [program:x] and [group:x] with keys and values that supervisor takes, logs below a log root.
 * Pure; users, log directories and the names that other files define are for the caller to ask about.
 * @throws DeployError PROGRAM_CONFIG_REFUSED that names section and key, what was found and what is expected.
 */
export function checkProgramConfig(text: string, facts: CheckFacts): CheckedConfig {
  const ini = readProgramText(text);
  for (const section of ini.values()) checkSection(section);
  const programs = sectionsOf(ini, 'program');
  if (programs.size === 0) throw refusal('text', 'no [program:name] section', 'at least one');
  checkMembers(ini);
  const groups = readGroups(ini);
  const logFiles = new Map(
    groups.flatMap((group) => checkProcesses(group, programs, facts)).map((log) => [log.path, log]),
  );
  const named = [...programs].map(([name, { values }]) => ({
    where: `[program:${name}] user`,
    name: values.get('user')?.text,
  }));
  return {
    groups,
    names: [...new Set([...programs.keys(), ...sectionsOf(ini, 'group').keys()])],
    users: named.flatMap(({ where, name }) => (name === undefined ? [] : [{ where, name }])),
    logFiles: [...logFiles.values()],
    setsEnvironment: [...programs.values()].some(({ values }) => values.has('environment')),
  };
}

function checkSection(section: IniSection): void {
  const [, kind, name = ''] = /^(program|group):(.*)$/s.exec(section.name) ?? [];
  if (kind === undefined) throw refusal(`line ${section.line}`, `[${section.name}]`, '[program:name] or [group:name]');
  // `supervisorctl restart all` means every program of the host.
  if (!isName(name) || name === 'all') {
    throw refusal(`line ${section.line}`, `[${section.name}]`, 'a name of letters, digits and . _ - that is not "all"');
  }
  const where = `[${section.name}]`;
  const allowed = kind === 'program' ? programKeys : groupKeys;
  for (const [key, value] of section.values) {
    if (!allowed.includes(key))
      throw refusal(`${where} line ${value.line}`, `key ${key}`, `one of ${allowed.join(', ')}`);
    const expected = plainKeys[key]?.(value.text);
    if (expected !== undefined) throw refusal(`${where} ${key}`, JSON.stringify(value.text), expected);
  }
  if (kind === 'program') checkTogether(where, section);
}

/** What supervisor refuses only in combination. */
function checkTogether(where: string, { values }: IniSection): void {
  const text = (key: keyof typeof expandedKeys | 'numprocs' | 'stopasgroup' | 'killasgroup') => values.get(key)?.text;
  if (!text('command')) throw refusal(`${where} command`, 'nothing', 'the command to run');
  if (Number(text('numprocs') ?? 1) > 1 && !text('process_name')?.includes('%(process_num)')) {
    throw refusal(
      `${where} process_name`,
      text('process_name') ?? 'nothing',
      '%(process_num)02d in it, as numprocs is over 1',
    );
  }
  if (isTrue(text('stopasgroup')) && !isTrue(text('killasgroup') ?? 'true')) {
    throw refusal(`${where} killasgroup`, 'false', 'true, as stopasgroup is true');
  }
}

function isTrue(text: string | undefined): boolean {
  return /^(yes|true|on|1)$/i.test(text ?? '');
}

/** A group may only take programs of this text, and a program belongs to one group: in two, it would run twice. */
function checkMembers(ini: Ini): void {
  const programs = sectionsOf(ini, 'program');
  const groupOf = new Map<string, string>();
  for (const [group, section] of sectionsOf(ini, 'group')) {
    const where = `[group:${group}] programs`;
    const members = listOf(section, 'programs');
    if (members.length === 0) throw refusal(where, 'nothing', 'programs of this text, separated by commas');
    for (const member of members) {
      if (!programs.has(member))
        throw refusal(where, member, `programs of this text: ${[...programs.keys()].join(', ')}`);
      if (groupOf.has(member))
        throw refusal(where, `${member}, which [group:${groupOf.get(member)}] names`, 'each program once');
      groupOf.set(member, group);
    }
  }
  for (const group of sectionsOf(ini, 'group').keys()) {
    if (programs.has(group) && groupOf.get(group) !== group) {
      throw refusal(`[group:${group}]`, `the name of [program:${group}], which is not in it`, 'a name of its own');
    }
  }
}
