import { join } from 'node:path';
import { isName } from '@sampan/shared/names.ts';
import type { CheckFacts } from './check-program-config.ts';
import { ENVIRONMENT_RULE, environmentPairs } from './environment-pairs.ts';
import { type Expansions, expandValue } from './expand-value.ts';
import type { IniSection } from './ini.ts';
import { isDevice, type ProgramGroup, processExpansions, processNumbers } from './program-groups.ts';
import { expandedKeys } from './program-keys.ts';
import { refusal } from './refuse.ts';

/** A file that supervisord will open, as root whatever `user=` says. */
export interface LogFile {
  where: string;
  path: string;
}

/** Commands and environments hold passwords: what they say is not shown. */
const REDACTED = '[redacted]';

/** One process with what its values may name. */
interface Subject {
  section: IniSection;
  names: Map<string, string | number>;
  facts: CheckFacts;
}

/**
 * Checks the values that supervisor expands for each process of a group, and that no two of them are called the same.
 * @returns the log files that they name.
 * @throws DeployError PROGRAM_CONFIG_REFUSED
 */
export function checkProcesses(
  group: ProgramGroup,
  sections: ReadonlyMap<string, IniSection>,
  facts: CheckFacts,
): LogFile[] {
  const taken = new Set<string>();
  const logFiles: LogFile[] = [];
  for (const [program, section] of sections) {
    if (!group.programs.some(({ name }) => name === program)) continue;
    const numbers = processNumbers(section);
    for (const number of numbers) {
      const defined = processExpansions({ program, group: group.name, number, count: numbers.length });
      const names = new Map([...defined, ['here', facts.here]]);
      const subject = { section, names, facts };
      checkName(subject, taken);
      checkCommand(subject);
      for (const stream of ['stdout', 'stderr'] as const) logFiles.push(...logFile(subject, stream));
    }
  }
  return logFiles;
}

function checkName({ section, names }: Subject, taken: Set<string>): void {
  const where = `[${section.name}] process_name`;
  const name = expand(where, section.values.get('process_name')?.text ?? '%(program_name)s', names);
  if (!isName(name)) throw refusal(where, JSON.stringify(name), 'letters, digits and . _ -');
  if (taken.has(name)) throw refusal(where, `${name}, a second time`, 'a name of its own for each process of a group');
  taken.add(name);
}

function checkCommand({ section, names, facts }: Subject): void {
  const known = new Map(names);
  for (const [name, value] of facts.environment) known.set(`ENV_${name}`, value);
  const where = `[${section.name}] environment`;
  const text = section.values.get('environment')?.text;
  const pairs = text === undefined ? new Map<string, string>() : environmentPairs(expand(where, text, known));
  if (!pairs) throw refusal(where, REDACTED, ENVIRONMENT_RULE);
  // What the program's own environment sets may be named by its command, not by the environment itself.
  for (const [name, value] of pairs) known.set(`ENV_${name}`, value);
  for (const key of ['command', 'directory'] as const) {
    const value = section.values.get(key)?.text;
    if (value === undefined) continue;
    const expected = expandedKeys[key](expand(`[${section.name}] ${key}`, value, known));
    const found = key === 'command' ? REDACTED : JSON.stringify(value);
    if (expected !== undefined) throw refusal(`[${section.name}] ${key}`, found, expected);
  }
}

function logFile({ section, names, facts }: Subject, stream: 'stdout' | 'stderr'): LogFile[] {
  const key = `${stream}_logfile`;
  const where = `[${section.name}] ${key}`;
  const text = section.values.get(key)?.text;
  if (text === undefined || /^(none|off|auto|syslog)$/i.test(text)) return [];
  // Supervisor expands this one twice: %% becomes %, and then breaks.
  if (text.includes('%%')) throw refusal(where, text, 'no %%');
  const path = expand(where, text, names);
  if (isDevice(path)) {
    const limit = `${key}_maxbytes`;
    const found = section.values.get(limit)?.text ?? 'nothing';
    if (/^0+(KB|MB|GB)?$/i.test(found)) return [];
    throw refusal(`[${section.name}] ${limit}`, found, `0, as ${path} cannot be rotated`);
  }
  if (path === join(path) && !path.endsWith('/') && facts.logRoots.some((root) => path.startsWith(join(root, '/')))) {
    return [{ where, path }];
  }
  throw refusal(where, path, `a file below ${facts.logRoots.join(' or ')}, or AUTO or NONE`);
}

function expand(where: string, text: string, names: Expansions): string {
  const expanded = expandValue(text, names);
  if (expanded.ok) return expanded.text;
  const known = [...names.keys()].filter((name) => !name.startsWith('ENV_')).map((name) => `%(${name})s`);
  const ofEnvironment = expanded.found.startsWith('%(ENV_')
    ? ', or a variable that environment= or supervisord has'
    : '';
  throw refusal(where, expanded.found, `${known.join(', ')}${ofEnvironment}; %% for a percent sign`);
}
