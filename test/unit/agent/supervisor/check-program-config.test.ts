import { describe, expect, it } from 'vitest';
import {
  type CheckedConfig,
  checkProgramConfig,
} from '../../../../packages/agent/src/supervisor/check-program-config.ts';
import { DeployError } from '../../../../packages/shared/src/errors.ts';

const facts = {
  here: '/etc/supervisor/conf.d',
  logRoots: ['/opt/log', '/srv/log'],
  environment: new Map([
    ['JAVA_HOME', '/usr/lib/jvm'],
    ['QUOTED', 'a"b'],
  ]),
};

function check(...lines: string[]): CheckedConfig {
  return checkProgramConfig(lines.join('\n'), facts);
}

function refusalOf(text: string): unknown {
  try {
    checkProgramConfig(text, facts);
  } catch (error) {
    if (DeployError.is(error, 'PROGRAM_CONFIG_REFUSED')) return error.params;
    throw error;
  }
  throw new Error('it was accepted');
}

const program = (...lines: string[]) => ['[program:zeus]', 'command=java -jar zeus', ...lines].join('\n');

describe('a program config that is accepted', () => {
  it('is read with all that a restart and the host must know of it', () => {
    expect(
      check(
        '; written by CI',
        '[group:mp]',
        'programs = zeus, hera',
        'priority = 5',
        '[program:zeus]',
        'Command = %(ENV_JAVA_HOME)s/bin/java -jar app.jar --id %(process_num)d --of %(numprocs)s --rate 50%%',
        'environment = A="x,y",B=\'%(here)s\',C=%(ENV_JAVA_HOME)s',
        'directory = /opt/service/zeus ; through the link',
        'process_name = %(program_name)s_%(process_num)02d',
        'numprocs = 2',
        'numprocs_start = 1',
        'user = www-data',
        'autostart = false',
        'startsecs = 20',
        'stopwaitsecs = 30',
        'stdout_logfile = /opt/log/mp/%(program_name)s_%(process_num)d.log',
        'redirect_stderr = true',
        '[program:hera]',
        'command = hera',
        'stdout_logfile = NONE',
        'stderr_logfile = AUTO',
        '[program:alone]',
        'command = alone',
        'stdout_logfile = /dev/stdout',
        'stdout_logfile_maxbytes = 0',
        'stderr_logfile = syslog',
      ),
    ).toEqual({
      groups: [
        {
          name: 'mp',
          programs: [
            {
              name: 'zeus',
              autostart: false,
              startSecs: 20,
              stopWaitSecs: 30,
              processes: [
                { name: 'zeus_01', stdoutLog: '/opt/log/mp/zeus_1.log' },
                { name: 'zeus_02', stdoutLog: '/opt/log/mp/zeus_2.log' },
              ],
            },
            { name: 'hera', autostart: true, startSecs: 1, stopWaitSecs: 10, processes: [{ name: 'hera' }] },
          ],
        },
        {
          name: 'alone',
          programs: [
            { name: 'alone', autostart: true, startSecs: 1, stopWaitSecs: 10, processes: [{ name: 'alone' }] },
          ],
        },
      ],
      names: ['zeus', 'hera', 'alone', 'mp'],
      users: [{ where: '[program:zeus] user', name: 'www-data' }],
      logFiles: [
        { where: '[program:zeus] stdout_logfile', path: '/opt/log/mp/zeus_1.log' },
        { where: '[program:zeus] stdout_logfile', path: '/opt/log/mp/zeus_2.log' },
      ],
      setsEnvironment: true,
    });
  });

  it.each([
    ['CRLF', program('autostart=false').replaceAll('\n', '\r\n')],
    ['a group of the name of its program', `${program()}\n[group:zeus]\nprograms=zeus`],
    ['keys in capitals, and twice', program('AutoStart=nonsense', 'autostart=true')],
    ['a section twice', `${program()}\n[program:zeus]\ncommand=other`],
    ['a command over several lines', '[program:zeus]\ncommand=java\n  -jar\n  zeus.jar'],
    ['Chinese in comments and values', program('; 说明', 'environment=NAME="宙斯"')],
    ['text after a header', '[program:zeus] of CI\ncommand=x'],
    ['every signal by name or number', program('stopsignal=SIGusr1', '[program:b]', 'command=b', 'stopsignal=9')],
    ['the largest size that supervisor can speak of', program('stdout_logfile_maxbytes=2047MB')],
    ['no exit codes', program('exitcodes=')],
    ['a log root with a slash at its end', program('stderr_logfile=/srv/log/a b/x.log')],
  ])('%s', (_, text) => {
    expect(checkProgramConfig(text, facts).groups[0]?.name).toBe('zeus');
  });
});

describe('a program config that is refused', () => {
  const key = (name: string) => `[program:zeus] ${name}`;
  const wholeNumber = (min: number, max = 2_147_483_647) => `a whole number from ${min} to ${max}`;
  const bytes = 'a size such as 50MB, at most 2047MB';
  const truth = 'true or false';
  const section = '[program:name] or [group:name]';
  const nameRule = 'a name of letters, digits and . _ - that is not "all"';
  const logs = 'a file below /opt/log or /srv/log, or AUTO or NONE';
  const names = '%(program_name)s, %(group_name)s, %(process_num)s, %(numprocs)s, %(host_node_name)s';
  const withHere = `${names}, %(here)s; %% for a percent sign`;
  const inCommand = `${names}, %(here)s, or a variable that environment= or supervisord has; %% for a percent sign`;

  it.each<[title: string, text: string, where: string, found: string, expected: string]>([
    ['nothing at all', '', 'text', 'no [program:name] section', 'at least one'],
    ['a group alone', '[group:mp]\nprograms=zeus', 'text', 'no [program:name] section', 'at least one'],
    ['no header', 'command=x', 'line 1', '"command=x"', 'a section header such as [program:name]'],
    ['a line that is neither key nor header', program('autostart'), 'line 3', '"autostart"', 'key=value'],
    ['[DEFAULT], which every section inherits', `[DEFAULT]\nuser=root\n${program()}`, 'line 1', '[DEFAULT]', section],
    ['a section after a lone carriage return', `${program()}\n; x\r[supervisord]`, 'line 4', '[supervisord]', section],
    [
      '[fcgi-program:x], which replaces files',
      '[fcgi-program:x]\nsocket=unix:///etc/passwd',
      'line 1',
      '[fcgi-program:x]',
      section,
    ],
    ['[supervisorctl]', '[supervisorctl]', 'line 1', '[supervisorctl]', section],
    ['[ctlplugin:x]', '[ctlplugin:x]', 'line 1', '[ctlplugin:x]', section],
    ['[Program:x], which supervisor overlooks', '[Program:x]\ncommand=x', 'line 1', '[Program:x]', section],
    ['a program called all', '[program:all]\ncommand=x', 'line 1', '[program:all]', nameRule],
    ['a group called all', `${program()}\n[group:all]\nprograms=zeus`, 'line 3', '[group:all]', nameRule],
    ['a space in a name', '[program:a b]\ncommand=x', 'line 1', '[program:a b]', nameRule],
    ['a space that supervisor would strip', '[program: zeus]\ncommand=x', 'line 1', '[program: zeus]', nameRule],
    ['a colon in a name', '[program:a:b]\ncommand=x', 'line 1', '[program:a:b]', nameRule],
    ['a bracket in a name', '[program:a]b]\ncommand=x', 'line 1', '[program:a]b]', nameRule],
    ['a name that reads as an option', '[program:-h]\ncommand=x', 'line 1', '[program:-h]', nameRule],
    ['no name', '[program:]\ncommand=x', 'line 1', '[program:]', nameRule],
    [
      'an unknown key of a group',
      `${program()}\n[group:g]\nprograms=zeus\ncommand=x`,
      '[group:g] line 5',
      'key command',
      'one of programs, priority',
    ],
    ['no command', '[program:zeus]\nautostart=true', key('command'), 'nothing', 'the command to run'],
    ['an empty command', '[program:zeus]\ncommand=', key('command'), 'nothing', 'the command to run'],
    [
      'an open quote',
      '[program:zeus]\ncommand=sh -c "x',
      key('command'),
      '[redacted]',
      'a command line whose quotes are closed',
    ],
    ['a bare %', '[program:zeus]\ncommand=date +%d', key('command'), '%d', withHere],
    ['a % at the end', '[program:zeus]\ncommand=rate 50%', key('command'), '%', withHere],
    ['an expansion that is not defined', '[program:zeus]\ncommand=%(port)s', key('command'), '%(port)s', withHere],
    [
      '%(ENV_X)s of a variable that nobody has',
      '[program:zeus]\ncommand=%(ENV_NO)s',
      key('command'),
      '%(ENV_NO)s',
      inCommand,
    ],
    ['d for a text', '[program:zeus]\ncommand=%(program_name)d', key('command'), '%(program_name)d', withHere],
    [
      'a width that fills the memory',
      '[program:zeus]\ncommand=%(process_num)0999999999d',
      key('command'),
      '%(process_num)0999999999d',
      withHere,
    ],
    [
      '% in a plain value',
      program('startsecs=%(ENV_JAVA_HOME)s'),
      key('startsecs'),
      '"%(ENV_JAVA_HOME)s"',
      wholeNumber(0),
    ],
    ['a relative directory', program('directory=zeus'), key('directory'), '"zeus"', 'an absolute path'],
    ['numprocs 0', program('numprocs=0'), key('numprocs'), '"0"', wholeNumber(1, 100)],
    [
      'numprocs without process_num',
      program('numprocs=2'),
      key('process_name'),
      'nothing',
      '%(process_num)02d in it, as numprocs is over 1',
    ],
    [
      'a number too large for XML-RPC',
      program('priority=2147483648'),
      key('priority'),
      '"2147483648"',
      wholeNumber(-2_147_483_648),
    ],
    ['a number with a comma', program('startsecs=1,5'), key('startsecs'), '"1,5"', wholeNumber(0)],
    [
      'a size too large for XML-RPC',
      program('stdout_logfile_maxbytes=3GB'),
      key('stdout_logfile_maxbytes'),
      '"3GB"',
      bytes,
    ],
    [
      'a size in another unit',
      program('stderr_logfile_maxbytes=5MiB'),
      key('stderr_logfile_maxbytes'),
      '"5MiB"',
      bytes,
    ],
    [
      'more backups than can be renamed',
      program('stdout_logfile_backups=100000'),
      key('stdout_logfile_backups'),
      '"100000"',
      wholeNumber(0, 1000),
    ],
    ['a boolean that is none', program('autostart=maybe'), key('autostart'), '"maybe"', truth],
    [
      'an autorestart that is none',
      program('autorestart=always'),
      key('autorestart'),
      '"always"',
      'true, false or unexpected',
    ],
    [
      'a signal that is none',
      program('stopsignal=STOP'),
      key('stopsignal'),
      '"STOP"',
      'one of TERM, HUP, INT, QUIT, KILL, USR1, USR2, WINCH',
    ],
    [
      'an exit code over 255',
      program('exitcodes=0,256'),
      key('exitcodes'),
      '"0,256"',
      'exit codes from 0 to 255, separated by commas',
    ],
    ['a umask that is not octal', program('umask=089'), key('umask'), '"089"', 'an octal mask such as 022'],
    ['two users', program('user=a:b'), key('user'), '"a:b"', 'the name of one user'],
    ['a user that reads as an option', program('user=--help'), key('user'), '"--help"', 'the name of one user'],
    [
      'stopasgroup without killasgroup',
      program('stopasgroup=true', 'killasgroup=false'),
      key('killasgroup'),
      'false',
      'true, as stopasgroup is true',
    ],
    [
      'environment= with spaces for commas',
      program('environment=A=1 B=2'),
      key('environment'),
      '[redacted]',
      'KEY="value",KEY2="value2"',
    ],
    [
      'environment= cut by a comment',
      program('environment=A="x #y"'),
      key('environment'),
      '[redacted]',
      'KEY="value",KEY2="value2"',
    ],
    [
      'environment= broken by a value of supervisord',
      program('environment=A="%(ENV_QUOTED)s"'),
      key('environment'),
      '[redacted]',
      'KEY="value",KEY2="value2"',
    ],
    [
      'a log outside the log roots',
      program('stdout_logfile=/etc/cron.d/x'),
      key('stdout_logfile'),
      '/etc/cron.d/x',
      logs,
    ],
    ['a log root as a prefix only', program('stdout_logfile=/opt/logs/x'), key('stdout_logfile'), '/opt/logs/x', logs],
    ['a log that climbs out', program('stdout_logfile=/opt/log/../x'), key('stdout_logfile'), '/opt/log/../x', logs],
    ['a relative log', program('stderr_logfile=x.log'), key('stderr_logfile'), 'x.log', logs],
    ['a log in a home', program('stderr_logfile=~/x.log'), key('stderr_logfile'), '~/x.log', logs],
    ['a log that is a directory', program('stderr_logfile=/opt/log/'), key('stderr_logfile'), '/opt/log/', logs],
    [
      '%(here)s in a log outside the log roots',
      program('stderr_logfile=%(here)s/x.log'),
      key('stderr_logfile'),
      '/etc/supervisor/conf.d/x.log',
      logs,
    ],
    [
      '%% in a log, which is expanded twice',
      program('stderr_logfile=/opt/log/50%%'),
      key('stderr_logfile'),
      '/opt/log/50%%',
      'no %%',
    ],
    [
      '/dev/stdout with rotation',
      program('stdout_logfile=/dev/stdout'),
      key('stdout_logfile_maxbytes'),
      'nothing',
      '0, as /dev/stdout cannot be rotated',
    ],
    [
      'a slash in a process name',
      program('process_name=a/b'),
      key('process_name'),
      '"a/b"',
      'letters, digits and . _ -',
    ],
    [
      'two processes of one name',
      program('process_name=x', '[program:hera]', 'command=x', 'process_name=x', '[group:g]', 'programs=zeus,hera'),
      '[program:hera] process_name',
      'x, a second time',
      'a name of its own for each process of a group',
    ],
    [
      'a group without programs',
      `${program()}\n[group:g]\nprograms=`,
      '[group:g] programs',
      'nothing',
      'programs of this text, separated by commas',
    ],
    [
      'a program in two groups',
      `${program()}\n[group:g]\nprograms=zeus\n[group:h]\nprograms=zeus`,
      '[group:h] programs',
      'zeus, which [group:g] names',
      'each program once',
    ],
    [
      'a group that hides a program',
      `${program()}\n[program:b]\ncommand=b\n[group:zeus]\nprograms=b`,
      '[group:zeus]',
      'the name of [program:zeus], which is not in it',
      'a name of its own',
    ],
    ['NUL', program('; a\0b'), 'line 3', 'the character U+0000', 'printable text'],
    ['a colour, which XML cannot carry', program('; \u001b[31m'), 'line 3', 'the character U+001B', 'printable text'],
    ['half a character', program('; \ud800'), 'line 1', 'bytes that are not UTF-8', 'UTF-8'],
  ])('%s', (_, text, ...told) => {
    const [where, found, expected] = told;
    expect(refusalOf(text)).toEqual({ where, found, expected });
  });

  it('names what is allowed where a key is unknown', () => {
    expect(refusalOf(program('comand=x'))).toEqual({
      where: '[program:zeus] line 3',
      found: 'key comand',
      expected:
        'one of autorestart, autostart, command, directory, environment, exitcodes, killasgroup, numprocs, numprocs_start, priority, process_name, redirect_stderr, serverurl, startretries, startsecs, stderr_capture_maxbytes, stderr_events_enabled, stderr_logfile, stderr_logfile_backups, stderr_logfile_maxbytes, stderr_syslog, stdout_capture_maxbytes, stdout_events_enabled, stdout_logfile, stdout_logfile_backups, stdout_logfile_maxbytes, stdout_syslog, stopasgroup, stopsignal, stopwaitsecs, umask, user',
    });
  });

  it('shows no more of a long value than a person would read', () => {
    expect(refusalOf(program(`startsecs=${'9'.repeat(500)}`))).toMatchObject({ found: `"${'9'.repeat(119)}…` });
  });
});
