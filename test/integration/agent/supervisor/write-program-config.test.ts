import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Supervisor } from '../../../../packages/agent/src/supervisor/supervisor.ts';
import { requires } from '../../../helpers/requires.ts';
import { silentLog } from '../../../helpers/silent-log.ts';
import { failureOf } from '../../../helpers/supervised-project.ts';
import { startSupervisord, type TestSupervisord, testSupervisord } from '../../../helpers/supervisord.ts';

const signal = new AbortController().signal;

function supervisorFor({ dir, ctl }: TestSupervisord, more: { ctl?: string[]; confFile?: string } = {}): Supervisor {
  const settings = {
    ctl,
    confFile: 'auto',
    settleMs: 0,
    logRoots: [join(dir, 'log')],
    recordsDir: join(dir, 'records'),
  };
  return new Supervisor({ ...settings, ...more }, silentLog);
}

describe.runIf(requires('supervisord'))('writing a program config', () => {
  it('writes where [include] looks, has it read, and starts nothing', async () => {
    const supervisord = await testSupervisord();
    const supervisor = supervisorFor(supervisord);
    const text = '[program:zeus]\ncommand=sleep 1000\n';
    const written = await supervisor.writeProgramConfig({ projectName: 'mp-sre-platform', text, osSystem: '' }, signal);

    const path = join(supervisord.includeDir, 'mp-sre-platform.conf');
    expect(written).toEqual({ path, programs: ['zeus'], unchanged: false });
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(readdirSync(supervisord.includeDir)).toEqual(['mp-sre-platform.conf']);
    expect((await supervisord.run('avail')).stdout).toMatch(/^zeus +avail +auto +999:999\n$/);
    expect((await supervisord.run('status')).stdout).toBe('');
  });

  it('names the processes of groups and numprocs as supervisorctl does', async () => {
    const supervisord = await testSupervisord();
    const text = [
      '[group:mp]',
      'programs=zeus,hera',
      '[program:zeus]',
      'command=sleep 1000',
      'process_name=%(program_name)s_%(process_num)02d',
      'numprocs=2',
      '[program:hera]',
      'command=sleep 1000',
      '[program:alone]',
      'command=sleep 1000',
    ].join('\r\n');
    const written = await supervisorFor(supervisord).writeProgramConfig(
      { projectName: 'mp', text, osSystem: 'ubuntu' },
      signal,
    );
    expect(written.programs).toEqual(['alone', 'mp:hera', 'mp:zeus_00', 'mp:zeus_01']);
    const known = (await supervisord.run('avail')).stdout.split('\n').map((line) => line.split(' ')[0]);
    expect(known.sort()).toEqual(['', 'alone', 'mp:hera', 'mp:zeus_00', 'mp:zeus_01']);
  });

  it('writes nothing when the same text comes again', async () => {
    const supervisord = await testSupervisord();
    const supervisor = supervisorFor(supervisord);
    const request = { projectName: 'zeus', text: '[program:zeus]\ncommand=sleep 1000\n', osSystem: '' };
    const { path } = await supervisor.writeProgramConfig(request, signal);
    const before = statSync(path);
    expect(await supervisor.writeProgramConfig(request, signal)).toEqual({ path, programs: ['zeus'], unchanged: true });
    expect([statSync(path).ino, statSync(path).mtimeMs]).toEqual([before.ino, before.mtimeMs]);
  });

  it('leaves a running program alone when its config changes', async () => {
    const supervisord = await testSupervisord();
    const supervisor = supervisorFor(supervisord);
    const text = '[program:zeus]\ncommand=sleep 1000\n';
    await supervisor.writeProgramConfig({ projectName: 'zeus', text, osSystem: '' }, signal);
    await supervisord.run('update', 'zeus');
    const before = await supervisord.untilRunning('zeus');
    const changed = text.replace('1000', '2000');
    expect(
      await supervisor.writeProgramConfig({ projectName: 'zeus', text: changed, osSystem: '' }, signal),
    ).toMatchObject({
      unchanged: false,
    });
    expect(await supervisord.pids()).toEqual(before);
    expect((await supervisord.run('reread')).stdout).toBe('zeus: changed\n');
  });

  it('creates a missing log directory below the log root', async () => {
    const supervisord = await testSupervisord();
    const path = join(supervisord.dir, 'log/mp/deep/out.log');
    const text = `[program:zeus]\ncommand=sleep 1000\nstdout_logfile=${path}\nredirect_stderr=true\n`;
    await supervisorFor(supervisord).writeProgramConfig({ projectName: 'mp', text, osSystem: '' }, signal);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o755);
    expect(existsSync(path)).toBe(false);
  });

  it('keeps a config that sets environment= from other users', async () => {
    const supervisord = await testSupervisord();
    const text = '[program:zeus]\ncommand=sleep 1000\nenvironment=DB_PASSWORD="secret"\n';
    const { path } = await supervisorFor(supervisord).writeProgramConfig(
      { projectName: 'mp', text, osSystem: '' },
      signal,
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('accepts %(ENV_X)s of a variable that supervisord has', async () => {
    const supervisord = await testSupervisord();
    const text = '[program:zeus]\ncommand=sh -c "echo %(ENV_PATH)s %(ENV_OWN)s; sleep 1000"\nenvironment=OWN="x"\n';
    const written = await supervisorFor(supervisord).writeProgramConfig(
      { projectName: 'mp', text, osSystem: '' },
      signal,
    );
    expect(written.programs).toEqual(['zeus']);
  });

  it('writes a program whose binary is missing: only a start can tell', async () => {
    const supervisord = await testSupervisord();
    const text = '[program:zeus]\ncommand=/nowhere/zeus\n';
    const written = await supervisorFor(supervisord).writeProgramConfig(
      { projectName: 'mp', text, osSystem: '' },
      signal,
    );
    expect(written.programs).toEqual(['zeus']);
  });

  it('writes where conf_file says', async () => {
    const supervisord = await testSupervisord();
    const supervisor = supervisorFor(supervisord, {
      confFile: join(supervisord.includeDir, 'sampan-{project_name}.conf'),
    });
    const text = '[program:zeus]\ncommand=sleep 1000\n';
    const { path } = await supervisor.writeProgramConfig({ projectName: 'mp', text, osSystem: '' }, signal);
    expect(path).toBe(join(supervisord.includeDir, 'sampan-mp.conf'));
  });

  it('takes a conf_file back that no [include] reads, and says so', async () => {
    const supervisord = await testSupervisord();
    const path = join(supervisord.dir, 'elsewhere/mp.conf');
    const supervisor = supervisorFor(supervisord, { confFile: path.replace('mp.conf', '{project_name}.conf') });
    const text = '[program:zeus]\ncommand=sleep 1000\n';
    expect(await failureOf(supervisor.writeProgramConfig({ projectName: 'mp', text, osSystem: '' }, signal))).toEqual({
      code: 'PROGRAM_CONFIG_REJECTED',
      params: { reason: `it does not know zeus: no [include] of ${supervisord.conf} reads ${path}` },
    });
    expect(existsSync(path)).toBe(false);
  });

  it('refuses an os_system that this host is not', async () => {
    const supervisord = await testSupervisord();
    const text = '[program:zeus]\ncommand=sleep 1000\n';
    const attempt = supervisorFor(supervisord).writeProgramConfig(
      { projectName: 'mp', text, osSystem: 'centos' },
      signal,
    );
    expect(await failureOf(attempt)).toEqual({ code: 'OS_MISMATCH', params: { found: 'centos', expected: 'ubuntu' } });
    expect(readdirSync(supervisord.includeDir)).toEqual([]);
  });

  it('touches nothing while supervisord is down', async () => {
    const supervisord = await testSupervisord();
    await supervisord.kill();
    const text = '[program:zeus]\ncommand=sleep 1000\n';
    const attempt = supervisorFor(supervisord).writeProgramConfig({ projectName: 'mp', text, osSystem: '' }, signal);
    expect(await failureOf(attempt)).toEqual({
      code: 'SUPERVISOR_UNAVAILABLE',
      params: { reason: `unix://${supervisord.dir}/s.sock refused connection` },
    });
    expect(readdirSync(supervisord.includeDir)).toEqual([]);
    expect(existsSync(join(supervisord.dir, 'records'))).toBe(false);
  });

  it('says so when supervisorctl itself is missing', async () => {
    const supervisord = await testSupervisord();
    const supervisor = supervisorFor(supervisord, { ctl: ['/nowhere/supervisorctl', '-c', supervisord.conf] });
    const text = '[program:zeus]\ncommand=sleep 1000\n';
    expect(await failureOf(supervisor.writeProgramConfig({ projectName: 'mp', text, osSystem: '' }, signal))).toEqual({
      code: 'SUPERVISOR_UNAVAILABLE',
      params: { reason: 'supervisorctl: ENOENT' },
    });
  });

  describe("when somebody else's file is broken", () => {
    const broken = {
      'no header': { bytes: Buffer.from('command=x\n'), words: /^File contains no section headers\. / },
      'a line that is no key': { bytes: Buffer.from('[program:x]\nfoo\n'), words: /^Source contains parsing errors: / },
      'an unknown user': {
        bytes: Buffer.from('[program:x]\ncommand=x\nuser=nosuch\n'),
        words: /^Invalid user name nosuch /,
      },
      'bytes that are not UTF-8': {
        bytes: Buffer.from('\xff\xfe', 'latin1'),
        words: /^'utf-8' codec can't decode byte 0xff /,
      },
    };
    it.each(Object.entries(broken))('names that file and takes ours back: %s', async (_, { bytes, words }) => {
      const supervisord = await testSupervisord();
      const other = join(supervisord.includeDir, 'other.conf');
      await writeFile(other, bytes);
      const text = '[program:zeus]\ncommand=sleep 1000\n';
      const { code, params } = await failureOf(
        supervisorFor(supervisord).writeProgramConfig({ projectName: 'mp', text, osSystem: '' }, signal),
      );
      expect(code).toBe('PROGRAM_CONFIG_REJECTED');
      const { reason } = params as { reason: string };
      const preface = `${other}, which is not this project's, is broken: `;
      expect(reason.slice(0, preface.length)).toBe(preface);
      expect(reason.slice(preface.length)).toMatch(words);
      expect(readdirSync(supervisord.includeDir)).toEqual(['other.conf']);
    });
  });

  it("replaces a file of the project's own that was broken", async () => {
    const supervisord = await testSupervisord();
    supervisord.include('mp.conf', '[program:zeus]\nnonsense\n');
    const text = '[program:zeus]\ncommand=sleep 1000\n';
    const written = await supervisorFor(supervisord).writeProgramConfig(
      { projectName: 'mp', text, osSystem: '' },
      signal,
    );
    expect(written.programs).toEqual(['zeus']);
  });

  it('puts the old file back, bytes and mode, when supervisor refuses the new one', async () => {
    const supervisord = await testSupervisord();
    const old = '; kept by hand\n[program:zeus]\ncommand=sleep 1000\n';
    const path = supervisord.include('mp.conf', old);
    const other = supervisord.include('other.conf', '[program:x\n');
    const attempt = supervisorFor(supervisord).writeProgramConfig(
      { projectName: 'mp', text: '[program:zeus]\ncommand=sleep 2000\n', osSystem: '' },
      signal,
    );
    expect((await failureOf(attempt)).code).toBe('PROGRAM_CONFIG_REJECTED');
    expect(readFileSync(path, 'utf8')).toBe(old);
    expect(readFileSync(other, 'utf8')).toBe('[program:x\n');
  });

  it('puts the old file back when it is aborted between writing and rereading', async () => {
    const supervisord = await testSupervisord();
    const old = '[program:zeus]\ncommand=sleep 1000\n';
    const path = supervisord.include('mp.conf', old);
    const abort = new AbortController();
    // The reread hangs until the abort: supervisorctl finds nobody to speak to behind this wrapper.
    const wrapper = join(supervisord.dir, 'ctl');
    const once = join(supervisord.dir, 'once');
    writeFileSync(
      wrapper,
      `#!/bin/sh\ncase "$*" in *reread*) [ -e ${once} ] || { : > ${once}; exec sleep 1000; };; esac\nexec supervisorctl "$@"\n`,
      {
        mode: 0o755,
      },
    );
    const supervisor = supervisorFor(supervisord, { ctl: [wrapper, '-c', supervisord.conf] });
    const attempt = supervisor.writeProgramConfig(
      { projectName: 'mp', text: '[program:zeus]\ncommand=sleep 2000\n', osSystem: '' },
      abort.signal,
    );
    const outcome = expect(attempt).rejects.toThrow('enough');
    await expect.poll(() => existsSync(once), { timeout: 20_000 }).toBe(true);
    abort.abort(new Error('enough'));
    await outcome;
    expect(readFileSync(path, 'utf8')).toBe(old);
  });

  it('puts back what a crash between writing and rereading has left', async () => {
    const supervisord = await testSupervisord();
    const old = '[program:zeus]\ncommand=sleep 1000\n';
    const path = supervisord.include('mp.conf', '[program:zeus]\ncommand=sleep 2000\n');
    const trying = { previous: Buffer.from(old).toString('base64'), mode: 0o640 };
    await mkdir(join(supervisord.dir, 'records'));
    await writeFile(join(supervisord.dir, 'records/mp.json'), JSON.stringify({ path, groups: ['zeus'], trying }));
    await supervisorFor(supervisord).recover(signal);
    expect(readFileSync(path, 'utf8')).toBe(old);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(JSON.parse(readFileSync(join(supervisord.dir, 'records/mp.json'), 'utf8'))).toEqual({
      path,
      groups: ['zeus'],
    });
  });
});

describe.runIf(requires('supervisord'))('a bad text', () => {
  let supervisord: TestSupervisord;
  let supervisor: Supervisor;
  const old = '[program:zeus]\ncommand=sleep 1000\n';

  beforeAll(async () => {
    supervisord = await startSupervisord();
    supervisor = supervisorFor(supervisord);
    supervisord.include('other.conf', '[program:other]\ncommand=sleep 1000\nautorestart=true\n');
    await supervisor.writeProgramConfig({ projectName: 'mp', text: old, osSystem: '' }, signal);
    await supervisord.run('update');
    await supervisord.untilRunning('other', 'zeus');
    await mkdir(join(supervisord.dir, 'log'));
    symlinkSync('/etc', join(supervisord.dir, 'log/escape'));
    symlinkSync('/etc/passwd', join(supervisord.dir, 'log/passwd.log'));
  });
  afterAll(() => supervisord.stop());

  const program = (...lines: string[]) => ['[program:zeus]', 'command=sleep 1000', ...lines, ''].join('\n');
  const anySection = '[program:name] or [group:name]';
  const names = '%(program_name)s, %(group_name)s, %(process_num)s, %(numprocs)s, %(host_node_name)s';
  /** Those of faults.md, each with what it is told. `DIR` stands for the test's directory. */
  const cases: [title: string, text: string, refused: { where: string; found: string; expected: string }][] = [
    ['[supervisord]', '[supervisord]\nuser=root\n', { where: 'line 1', found: '[supervisord]', expected: anySection }],
    [
      "another file's [program]",
      '[program:other]\ncommand=x\n',
      {
        where: '[program:other]',
        found: 'already in [program:other] of DIR/conf.d/other.conf',
        expected: 'a name that no other file uses',
      },
    ],
    [
      '[include]',
      `${program()}[include]\nfiles=/tmp/*\n`,
      { where: 'line 3', found: '[include]', expected: anySection },
    ],
    [
      '[unix_http_server]',
      '[unix_http_server]\nfile=/tmp/x\n',
      { where: 'line 1', found: '[unix_http_server]', expected: anySection },
    ],
    [
      '[inet_http_server]',
      '[inet_http_server]\nport=9001\n',
      { where: 'line 1', found: '[inet_http_server]', expected: anySection },
    ],
    ['[rpcinterface:x]', '[rpcinterface:x]\n', { where: 'line 1', found: '[rpcinterface:x]', expected: anySection }],
    [
      '[eventlistener:x]',
      '[eventlistener:x]\ncommand=x\nevents=TICK_5\n',
      { where: 'line 1', found: '[eventlistener:x]', expected: anySection },
    ],
    [
      "another file's program in a [group]",
      `${program()}[group:g]\nprograms=zeus,other\n`,
      { where: '[group:g] programs', found: 'other', expected: 'programs of this text: zeus' },
    ],
    [
      'undefined %(ENV_X)s',
      program('environment=A="%(ENV_NOWHERE)s"'),
      {
        where: '[program:zeus] environment',
        found: '%(ENV_NOWHERE)s',
        expected: `${names}, %(here)s, or a variable that environment= or supervisord has; %% for a percent sign`,
      },
    ],
    [
      'an unknown user',
      program('user=nosuch'),
      { where: '[program:zeus] user', found: 'nosuch', expected: 'a user that this host knows' },
    ],
    [
      'a log directory outside the log root',
      program('stdout_logfile=/var/log/zeus.log'),
      {
        where: '[program:zeus] stdout_logfile',
        found: '/var/log/zeus.log',
        expected: 'a file below DIR/log, or AUTO or NONE',
      },
    ],
    [
      'a log directory that leads out of the log root',
      program('stdout_logfile=DIR/log/escape/zeus.log'),
      {
        where: '[program:zeus] stdout_logfile',
        found: 'DIR/log/escape/zeus.log, which leads to /etc',
        expected: 'a directory that stays below DIR/log',
      },
    ],
    [
      'a log file that is a symlink',
      program('stderr_logfile=DIR/log/passwd.log'),
      {
        where: '[program:zeus] stderr_logfile',
        found: 'DIR/log/passwd.log, which is a symlink',
        expected: 'a regular file, or none yet',
      },
    ],
    [
      'no header',
      'command=x\n',
      { where: 'line 1', found: '"command=x"', expected: 'a section header such as [program:name]' },
    ],
    ['a BOM', `\ufeff${program()}`, { where: 'line 1', found: 'a byte order mark', expected: 'UTF-8 without one' }],
    [
      'bytes that are not UTF-8',
      program('; \ufffd'),
      { where: 'line 3', found: 'bytes that are not UTF-8', expected: 'UTF-8' },
    ],
    [
      'numprocs 5000',
      program('numprocs=5000'),
      { where: '[program:zeus] numprocs', found: '"5000"', expected: 'a whole number from 1 to 100' },
    ],
    [
      'over 64 KiB',
      program(`; ${'x'.repeat(65_536)}`),
      { where: 'text', found: '65573 bytes', expected: 'at most 65536 bytes' },
    ],
  ];

  it.each(cases)('is refused, and leaves every pid, file and `reread` as they were: %s', async (_, text, refused) => {
    const here = (value: string) => value.replaceAll('DIR', supervisord.dir);
    const pids = await supervisord.pids();
    const attempt = supervisor.writeProgramConfig({ projectName: 'mp', text: here(text), osSystem: '' }, signal);
    const params = Object.fromEntries(Object.entries(refused).map(([key, value]) => [key, here(value)]));
    expect(await failureOf(attempt)).toEqual({ code: 'PROGRAM_CONFIG_REFUSED', params });
    expect(await supervisord.pids()).toEqual(pids);
    expect((await supervisord.run('reread')).stdout).toBe('No config updates to processes\n');
    expect(readdirSync(supervisord.includeDir).sort()).toEqual(['mp.conf', 'other.conf']);
    expect(readFileSync(join(supervisord.includeDir, 'mp.conf'), 'utf8')).toBe(old);
  });
});
