import {
  absolutePath,
  autoRestart,
  boolean,
  byteSize,
  commandLine,
  exitCodes,
  integer,
  octalMode,
  serverUrl,
  stopSignal,
  userName,
  type ValueCheck,
} from './value-checks.ts';

/** More processes than this of one program are a slip, and each costs supervisord three descriptors. */
export const MAX_PROCESSES = 100;
/** Supervisor renames one backup after another while nothing else runs in it. */
const MAX_BACKUPS = 1000;

/**
 * The keys of [program:x] with a plain value, and their checks. They are not expanded here: a `%` in them is refused.
 * A key of supervisor's that is not listed, here or among the expanded ones, is refused as well.
 */
export const plainKeys: Readonly<Record<string, ValueCheck>> = {
  numprocs: integer(1, MAX_PROCESSES),
  numprocs_start: integer(0, 1_000_000),
  priority: integer(-(2 ** 31)),
  autostart: boolean,
  autorestart: autoRestart,
  startsecs: integer(0),
  startretries: integer(0),
  exitcodes: exitCodes,
  stopsignal: stopSignal,
  stopwaitsecs: integer(0),
  stopasgroup: boolean,
  killasgroup: boolean,
  user: userName,
  umask: octalMode,
  serverurl: serverUrl,
  redirect_stderr: boolean,
  ...ofStream('stdout'),
  ...ofStream('stderr'),
};

/** The keys whose values supervisor expands for each process. `environment` and the log files have checks of their own. */
export const expandedKeys = {
  command: commandLine,
  directory: absolutePath,
  process_name: undefined,
  environment: undefined,
  stdout_logfile: undefined,
  stderr_logfile: undefined,
} as const satisfies Record<string, ValueCheck | undefined>;

export const programKeys = [...Object.keys(expandedKeys), ...Object.keys(plainKeys)].sort();

export const groupKeys = ['programs', 'priority'];

function ofStream(stream: 'stdout' | 'stderr'): Record<string, ValueCheck> {
  return {
    [`${stream}_logfile_maxbytes`]: byteSize,
    [`${stream}_logfile_backups`]: integer(0, MAX_BACKUPS),
    [`${stream}_capture_maxbytes`]: byteSize,
    [`${stream}_events_enabled`]: boolean,
    [`${stream}_syslog`]: boolean,
  };
}
