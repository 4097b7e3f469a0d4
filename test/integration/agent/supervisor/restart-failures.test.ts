import { writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requires } from '../../../helpers/requires.ts';
import { counting, failureOf, supervisedProject } from '../../../helpers/supervised-project.ts';

const signal = new AbortController().signal;
/** A program that crashes is given up at once with `startretries=0`; for a moment supervisor calls that BACKOFF. */
const givenUp = expect.stringMatching(/^(BACKOFF|FATAL)$/);
const patience = { timeout: 20_000 };

describe.runIf(requires('supervisord'))('a restart that fails', () => {
  it('says how a release that crashes at start ended, and what it printed last', async () => {
    const { supervisor, project, expected, write, directory, supervisord } = await supervisedProject();
    const crasher = join(supervisord.dir, 'crash.sh');
    writeFileSync(crasher, 'echo starting; echo "\u001b[31mno database\u001b[0m" >&2; exit 3\n');
    await write(
      '[program:zeus]',
      `command=sh ${crasher}`,
      `directory=${directory}`,
      `stderr_logfile=${supervisord.dir}/log/err.log`,
      'startretries=0',
    );
    expect(await failureOf(supervisor.restart(project, expected('one'), signal))).toEqual({
      code: 'RESTART_FAILED',
      params: {
        program: 'zeus',
        state: givenUp,
        output: 'Exited too quickly (process log may have details)\n\u001b[31mno database\u001b[0m',
      },
    });
  });

  it('quotes the log that supervisor keeps by itself, stdout where stderr is empty', async () => {
    const { supervisor, project, expected, write } = await supervisedProject();
    await write('[program:zeus]', 'command=sh -c "echo only on stdout; exit 1"', 'startretries=0');
    expect(await failureOf(supervisor.restart(project, expected('one'), signal))).toEqual({
      code: 'RESTART_FAILED',
      params: {
        program: 'zeus',
        state: givenUp,
        output: 'Exited too quickly (process log may have details)\nonly on stdout',
      },
    });
  });

  it('catches a program that crashes after its startsecs, within the settling time', async () => {
    const { supervisor, project, expected, write } = await supervisedProject({ settleMs: 600_000 });
    await write('[program:zeus]', 'command=sh -c "sleep 1.6; exit 1"', 'autorestart=false');
    const { code, params } = await failureOf(supervisor.restart(project, expected('one'), signal));
    expect([code, params]).toEqual(['RESTART_FAILED', { program: 'zeus', state: 'EXITED', output: '' }]);
  });

  it('catches one that supervisor has restarted within the settling time', async () => {
    const { supervisor, project, expected, write } = await supervisedProject({ settleMs: 600_000 });
    await write('[program:zeus]', 'command=sh -c "sleep 1; exit 1"', 'startsecs=0', 'autorestart=true');
    const { code, params } = await failureOf(supervisor.restart(project, expected('one'), signal));
    expect(code).toBe('RESTART_FAILED');
    expect((params as { state: string }).state).toMatch(/^(RUNNING, but pid \d+ has ended|EXITED)$/);
  });

  it.each(['loaded', 'not loaded'])('says that the binary is missing of a program that is %s', async (loaded) => {
    const { supervisor, project, expected, write, supervisord } = await supervisedProject();
    const binary = join(supervisord.dir, 'zeus.sh');
    writeFileSync(binary, '#!/bin/sh\nexec sleep 1000\n', { mode: 0o755 });
    await write('[program:zeus]', `command=${binary}`);
    if (loaded === 'loaded') await supervisor.restart(project, expected('one'), signal);
    await rename(binary, `${binary}.gone`);
    const failure = await failureOf(supervisor.restart(project, expected('one'), signal));
    expect(failure).toEqual({
      code: 'RESTART_FAILED',
      params: {
        program: 'zeus',
        ...(loaded === 'loaded'
          ? { state: 'STOPPED', output: '(no such file)' }
          : { state: givenUp, output: `can't find command '${binary}'` }),
      },
    });
  });

  it('does not take the old process for a new one when supervisor has restarted nothing', async () => {
    const { supervisor, project, expected, write, starts, swallow } = await supervisedProject();
    await write('[program:zeus]', counting(starts));
    const [before] = await supervisor.restart(project, expected('one'), signal);
    swallow('restart');
    expect(await failureOf(supervisor.restart(project, expected('one'), signal))).toEqual({
      code: 'RESTART_FAILED',
      params: {
        program: 'zeus',
        state: `RUNNING, but still as pid ${before?.pid}, from before the restart`,
        output: '',
      },
    });
  });

  it('fails for the group when one of its processes crashes', async () => {
    const { supervisor, project, expected, write, starts } = await supervisedProject();
    await write(
      '[group:mp]',
      'programs=good,bad',
      '[program:good]',
      counting(starts),
      '[program:bad]',
      'command=sh -c "exit 1"',
      'startretries=0',
    );
    expect(await failureOf(supervisor.restart(project, expected('one'), signal))).toEqual({
      code: 'RESTART_FAILED',
      params: { program: 'mp:bad', state: givenUp, output: 'Exited too quickly (process log may have details)' },
    });
  });

  it('goes back: the old release starts again while supervisor still retries the new one', async () => {
    const { supervisor, project, expected, write, directory, flip, supervisord } = await supervisedProject();
    writeFileSync(join(directory, 'run.sh'), 'exec sleep 1000\n');
    await write('[program:zeus]', 'command=sh run.sh', `directory=${directory}`);
    await supervisor.restart(project, expected('one'), signal);
    await flip('two');
    expect((await failureOf(supervisor.restart(project, expected('two'), signal))).code).toBe('RESTART_FAILED');
    await flip('one');
    const programs = await supervisor.restart(project, expected('one'), signal);
    expect(programs).toEqual([{ name: 'zeus', state: 'RUNNING', pid: (await supervisord.pids()).zeus }]);
  });

  it('says which other release a program runs from', async () => {
    const { supervisor, project, expected, write, starts, supervisord } = await supervisedProject();
    const fixed = join(supervisord.dir, 'base/.deploy/one');
    await write('[program:zeus]', counting(starts), `directory=${fixed}`);
    expect(await failureOf(supervisor.restart(project, expected('two'), signal))).toEqual({
      code: 'PROGRAM_RUNS_OTHER_RELEASE',
      params: { program: 'zeus', found: fixed, expected: join(supervisord.dir, 'base/.deploy/two') },
    });
  });

  it('sees another release in a descendant, through an open file', async () => {
    const { supervisor, project, expected, write, supervisord } = await supervisedProject();
    const jar = join(supervisord.dir, 'base/.deploy/one/app.jar');
    writeFileSync(jar, 'jar');
    const wrapper = join(supervisord.dir, 'wrapper.sh');
    writeFileSync(wrapper, `sh -c 'exec 3< ${jar}; sleep 1000; true'\ntrue\n`);
    await write('[program:zeus]', `command=sh ${wrapper}`);
    expect(await failureOf(supervisor.restart(project, expected('two'), signal))).toEqual({
      code: 'PROGRAM_RUNS_OTHER_RELEASE',
      params: { program: 'zeus', found: join(jar, '..'), expected: join(supervisord.dir, 'base/.deploy/two') },
    });
  });

  it('accepts a program that shows nothing of any release', async () => {
    const { supervisor, project, expected, write, starts } = await supervisedProject();
    await write('[program:zeus]', counting(starts), 'directory=/');
    expect(await supervisor.restart(project, expected('two'), signal)).toHaveLength(1);
  });
});

describe.runIf(requires('supervisord'))('a supervisord that is down', () => {
  it('is told before the flip', async () => {
    const { supervisor, project, write, starts, supervisord } = await supervisedProject();
    await write('[program:zeus]', counting(starts));
    await supervisord.kill();
    expect(await failureOf(supervisor.assertRestartable(project, signal))).toEqual({
      code: 'SUPERVISOR_UNAVAILABLE',
      params: { reason: `unix://${supervisord.dir}/s.sock refused connection` },
    });
  });

  it('is told when it dies while a program is starting', async () => {
    const { supervisor, project, expected, write, starts, supervisord } = await supervisedProject();
    await write('[program:zeus]', counting(starts).replace('=0', '=600'), 'autostart=false');
    const outcome = failureOf(supervisor.restart(project, expected('one'), signal));
    await expect.poll(async () => (await supervisord.run('status')).stdout, patience).toContain('STARTING');
    await supervisord.kill();
    expect(await outcome).toEqual({
      code: 'SUPERVISOR_UNAVAILABLE',
      params: { reason: `unix://${supervisord.dir}/s.sock refused connection` },
    });
  });

  it('is told when it dies while a program settles, before the settling time is over', async () => {
    const { supervisor, project, expected, write, starts, calls, supervisord } = await supervisedProject({
      settleMs: 600_000,
    });
    await write('[program:zeus]', counting(starts));
    const outcome = failureOf(supervisor.restart(project, expected('one'), signal));
    // The second status is the one that says RUNNING.
    await expect.poll(() => calls().filter((call) => call === 'status').length, patience).toBe(2);
    await supervisord.kill();
    expect((await outcome).code).toBe('SUPERVISOR_UNAVAILABLE');
  });

  it('is given up when the deadline passes, with the reason of the signal', async () => {
    const { supervisor, project, expected, write, starts, supervisord } = await supervisedProject({
      settleMs: 600_000,
    });
    await write('[program:zeus]', counting(starts));
    const abort = new AbortController();
    const outcome = expect(supervisor.restart(project, expected('one'), abort.signal)).rejects.toThrow('too late');
    await supervisord.untilRunning('zeus');
    abort.abort(new Error('too late'));
    await outcome;
  });
});
