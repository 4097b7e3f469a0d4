import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { environmentPairs } from './environment-pairs.ts';
import { expandValue } from './expand-value.ts';
import { globFiles } from './glob-files.ts';
import { type Ini, IniFault, parseIni } from './ini.ts';

/** A config file that supervisord reads. One that is broken defines nothing, and says why. */
export interface ConfigFile {
  path: string;
  ini: Ini;
  fault?: string;
}

/** What supervisord reads when it is told to reread. */
export interface InstalledConfig {
  /** supervisord.conf; undefined where none was found. */
  main: string | undefined;
  /** The patterns of its [include], absolute. */
  includes: string[];
  /** supervisord.conf and all that it includes, in supervisor's order. */
  files: ConfigFile[];
  /** What `environment=` of [supervisord] gives to every program. */
  environment: ReadonlyMap<string, string>;
}

/**
 * Reads supervisord's configuration: the file that `-c` of the supervisorctl command names, if it is the daemon's
 * too, else the first of supervisor's default places. Never throws for what is in the files.
 */
export async function readInstalledConfig(ctl: readonly string[]): Promise<InstalledConfig> {
  const main = await findMain(ctl);
  if (!main) return { main: undefined, includes: [], files: [], environment: new Map() };
  const names = new Map([
    ['here', dirname(main.path)],
    ['host_node_name', hostname()],
  ]);
  const patterns = expandValue(main.ini.get('include')?.values.get('files')?.text ?? '', names);
  const includes = (patterns.ok ? patterns.text : '')
    .split(/\s+/)
    .filter((pattern) => pattern !== '')
    .map((pattern) => resolve(dirname(main.path), pattern));
  const included: ConfigFile[] = [];
  for (const pattern of includes) {
    for (const path of await globFiles(pattern)) included.push(await readConfigFile(path));
  }
  const environment = main.ini.get('supervisord')?.values.get('environment')?.text ?? '';
  return {
    main: main.path,
    includes,
    files: [main, ...included],
    environment: environmentPairs(environment) ?? new Map(),
  };
}

/** One section of each name over all files, as supervisor merges them: the last value of a key wins. */
export function mergeFiles(files: readonly ConfigFile[]): Ini {
  const merged: Ini = new Map();
  for (const section of files.flatMap(({ ini }) => [...ini.values()])) {
    const before = merged.get(section.name)?.values ?? [];
    merged.set(section.name, { ...section, values: new Map([...before, ...section.values]) });
  }
  return merged;
}

/** Where supervisor looks for supervisord.conf when `-c` does not say, the places below the working directory aside. */
function defaultPlaces(ctl: readonly string[]): string[] {
  const command = ctl.find((part) => basename(part).startsWith('supervisorctl'));
  const prefix = command?.startsWith('/') ? dirname(dirname(command)) : '/usr';
  return [
    `${prefix}/etc/supervisord.conf`,
    `${prefix}/supervisord.conf`,
    '/etc/supervisord.conf',
    '/etc/supervisor/supervisord.conf',
  ];
}

async function findMain(ctl: readonly string[]): Promise<ConfigFile | undefined> {
  const named = namedConfig(ctl);
  for (const path of [...(named === undefined ? [] : [named]), ...defaultPlaces(ctl)]) {
    const file = await readConfigFile(path);
    if (file.ini.has('supervisord') || file.ini.has('include')) return file;
  }
  return undefined;
}

function namedConfig(ctl: readonly string[]): string | undefined {
  for (const [index, part] of ctl.entries()) {
    if (part === '-c' || part === '--configuration') return ctl[index + 1];
    const attached = /^(?:-c|--configuration=)(.+)$/s.exec(part)?.[1];
    if (attached !== undefined) return attached;
  }
  return undefined;
}

async function readConfigFile(path: string): Promise<ConfigFile> {
  try {
    const bytes = await readFile(path);
    return { path, ini: parseIni(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) };
  } catch (error) {
    const fault =
      error instanceof IniFault ? error.message : error instanceof TypeError ? 'it is not UTF-8' : String(error);
    return { path, ini: new Map(), fault };
  }
}
