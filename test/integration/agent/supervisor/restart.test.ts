import { describe, expect, it } from 'vitest';
import { requires } from '../../../helpers/requires.ts';
import { counting, failureOf, supervisedProject } from '../../../helpers/supervised-project.ts';

const signal = new AbortController().signal;
/** A program that is RUNNING may not have come to its first line yet. */
const patience = { timeout: 20_000 };

describe.runIf(requires('supervisord'))('restarting the programs of a project', () => {
  it('loads and starts a plain program that supervisor has only read about, once', async () => {
    const { supervisor, project, expected, write, counts, starts, directory, supervisord } = await supervisedProject();
    await write('[program:zeus]', counting(starts), `directory=${directory}`);
    await supervisor.assertRestartable(project, signal);
    const programs = await supervisor.restart(project, expected('one'), signal);
    const pids = await supervisord.pids();
    expect(programs).toEqual([{ name: 'zeus', state: 'RUNNING', pid: pids.zeus }]);
    await expect.poll(counts, patience).toEqual({ zeus: 1 });
  });

  it('restarts a running program once, with the new release behind the link', async () => {
    const { supervisor, project, expected, write, calls, counts, starts, directory, flip } = await supervisedProject();
    await write('[program:zeus]', counting(starts), `directory=${directory}`);
    const [before] = await supervisor.restart(project, expected('one'), signal);
    await flip('two');
    const [after] = await supervisor.restart(project, expected('two'), signal);
    // Each call costs a deploy 0.15 s: five are enough.
    expect(calls().slice(-5)).toEqual(['status', 'update zeus', 'restart zeus:*', 'status', 'status']);
    expect(after?.pid).not.toBe(before?.pid);
    await expect.poll(counts, patience).toEqual({ zeus: 2 });
  });

  it('starts a program once when its config has changed since it was started', async () => {
    const { supervisor, project, expected, write, counts, starts, supervisord } = await supervisedProject();
    await write('[program:zeus]', counting(starts));
    await supervisor.restart(project, expected('one'), signal);
    await write('[program:zeus]', counting(starts, 'changed'));
    await supervisor.restart(project, expected('one'), signal);
    await expect.poll(counts, patience).toEqual({ zeus: 1, changed: 1 });
    expect((await supervisord.run('reread')).stdout).toBe('No config updates to processes\n');
  });

  it('restarts a group and numprocs=2 as one, each process once', async () => {
    const { supervisor, project, expected, write, counts, starts } = await supervisedProject();
    const text = [
      '[group:mp]',
      'programs=zeus,hera',
      '[program:zeus]',
      counting(starts, '%(program_name)s_%(process_num)d'),
      'process_name=%(program_name)s_%(process_num)d',
      'numprocs=2',
      '[program:hera]',
      counting(starts),
    ];
    await write(...text);
    const first = await supervisor.restart(project, expected('one'), signal);
    expect(first.map(({ name, state }) => [name, state])).toEqual([
      ['mp:hera', 'RUNNING'],
      ['mp:zeus_0', 'RUNNING'],
      ['mp:zeus_1', 'RUNNING'],
    ]);
    await expect.poll(counts, patience).toEqual({ hera: 1, zeus_0: 1, zeus_1: 1 });
    const second = await supervisor.restart(project, expected('one'), signal);
    await expect.poll(counts, patience).toEqual({ hera: 2, zeus_0: 2, zeus_1: 2 });
    expect(second.filter(({ pid }) => first.some((before) => before.pid === pid))).toEqual([]);
  });

  it('starts a program without autostart once, loaded or not', async () => {
    const { supervisor, project, expected, write, counts, starts } = await supervisedProject();
    await write('[program:zeus]', counting(starts), 'autostart=false');
    await supervisor.restart(project, expected('one'), signal);
    await expect.poll(counts, patience).toEqual({ zeus: 1 });
    await supervisor.restart(project, expected('one'), signal);
    await expect.poll(counts, patience).toEqual({ zeus: 2 });
  });

  it('ends the programs that a newer text has dropped or put into a group', async () => {
    const { supervisor, project, expected, write, starts, supervisord } = await supervisedProject();
    await write('[program:zeus]', counting(starts), '[program:old]', counting(starts));
    await supervisor.restart(project, expected('one'), signal);
    await write('[group:mp]', 'programs=zeus', '[program:zeus]', counting(starts));
    await supervisor.restart(project, expected('one'), signal);
    expect(Object.keys(await supervisord.pids())).toEqual(['mp:zeus']);
  });

  it("leaves other projects' pids and pending changes alone", async () => {
    const { supervisor, project, expected, write, starts, supervisord } = await supervisedProject();
    supervisord.include('other.conf', '[program:other]\ncommand=sleep 1000\n');
    await supervisord.run('update');
    const { other } = await supervisord.untilRunning('other');
    supervisord.include('other.conf', '[program:other]\ncommand=sleep 2000\n');
    supervisord.include('third.conf', '[program:third]\ncommand=sleep 1000\n');
    await write('[program:zeus]', counting(starts));
    await supervisor.restart(project, expected('one'), signal);
    await supervisor.restart(project, expected('one'), signal);
    expect(await supervisord.pids()).toEqual({ other, zeus: expect.any(Number) });
    expect((await supervisord.run('reread')).stdout).toBe('other: changed\nthird: available\n');
  });

  it("restarts loaded programs while somebody else's file is broken", async () => {
    const { supervisor, project, expected, write, counts, starts, supervisord } = await supervisedProject();
    await write('[program:zeus]', counting(starts));
    await supervisor.restart(project, expected('one'), signal);
    supervisord.include('broken.conf', 'nonsense\n');
    await supervisor.restart(project, expected('one'), signal);
    await expect.poll(counts, patience).toEqual({ zeus: 2 });
  });

  it('runs two restarts that are asked for at once one after the other', async () => {
    const { supervisor, expected, write, counts, starts } = await supervisedProject({ settleMs: 0 });
    await write('[program:zeus]', counting(starts));
    const project = { projectName: 'mp', linkName: 'zeus' };
    await supervisor.restart(project, expected('one'), signal);
    const outcomes = await Promise.allSettled([
      supervisor.restart(project, expected('one'), signal),
      supervisor.restart(project, expected('one'), signal),
    ]);
    // The first may see its process replaced while it looks; nothing starts more often than it was asked for.
    expect(outcomes[1]?.status).toBe('fulfilled');
    await expect.poll(counts, patience).toEqual({ zeus: 3 });
  });
});

describe.runIf(requires('supervisord'))('a project without a config file of ours', () => {
  it('restarts the program that is called like the link', async () => {
    const { supervisor, project, expected, counts, starts, supervisord } = await supervisedProject();
    supervisord.include('host.conf', `[program:zeus]\n${counting(starts)}\n[program:zeus2]\n${counting(starts)}\n`);
    await supervisord.run('update');
    await supervisord.untilRunning('zeus', 'zeus2');
    await supervisor.assertRestartable(project, signal);
    const programs = await supervisor.restart(project, expected('one'), signal);
    expect(programs.map(({ name }) => name)).toEqual(['zeus']);
    await expect.poll(counts, patience).toEqual({ zeus: 2, zeus2: 1 });
  });

  it('restarts the program alone when the host has it in a group with others', async () => {
    const { supervisor, project, expected, counts, starts, supervisord } = await supervisedProject();
    const text = `[group:site]\nprograms=zeus,hera\n[program:zeus]\n${counting(starts)}\n[program:hera]\n${counting(starts)}\n`;
    supervisord.include('host.conf', text);
    await supervisord.run('update');
    await supervisord.untilRunning('site:zeus', 'site:hera');
    await supervisor.assertRestartable(project, signal);
    const programs = await supervisor.restart(project, expected('one'), signal);
    expect(programs.map(({ name }) => name)).toEqual(['site:zeus']);
    await expect.poll(counts, patience).toEqual({ zeus: 2, hera: 1 });
  });

  it.each(['all', 'nobody'])('is told before the flip that there is no program %s', async (linkName) => {
    const { supervisor, expected, starts, supervisord } = await supervisedProject();
    supervisord.include('host.conf', `[program:zeus]\n${counting(starts)}\n`);
    await supervisord.run('update');
    const before = await supervisord.untilRunning('zeus');
    const project = { projectName: 'mp', linkName };
    const unknown = { code: 'PROGRAM_UNKNOWN', params: { program: linkName } };
    expect(await failureOf(supervisor.assertRestartable(project, signal))).toEqual(unknown);
    expect(await failureOf(supervisor.restart(project, expected('one'), signal))).toEqual(unknown);
    expect(await supervisord.pids()).toEqual(before);
  });

  it("does not take another project's program for its own, whatever the link is called", async () => {
    const { supervisor, expected, write, starts, supervisord } = await supervisedProject();
    await write('[program:zeus]', counting(starts));
    await supervisor.restart({ projectName: 'mp', linkName: 'zeus' }, expected('one'), signal);
    const before = await supervisord.pids();
    const stranger = { projectName: 'another', linkName: 'zeus' };
    expect(await failureOf(supervisor.assertRestartable(stranger, signal))).toEqual({
      code: 'PROGRAM_UNKNOWN',
      params: { program: 'zeus' },
    });
    expect(await supervisord.pids()).toEqual(before);
  });

  it('has nothing for readyz to watch until a program of ours is there', async () => {
    const { supervisor, write, starts, supervisord } = await supervisedProject();
    supervisord.include('host.conf', '[program:host]\ncommand=sleep 1000\n');
    expect(await supervisor.check(signal)).toEqual({ configured: false, ok: true, detail: 'no program of ours' });
    await write('[program:zeus]', counting(starts));
    await supervisord.run('update');
    expect(await supervisor.check(signal)).toEqual({
      configured: true,
      ok: true,
      detail: 'supervisord answers, 2 processes',
    });
    await supervisord.kill();
    expect(await supervisor.check(signal)).toEqual({
      configured: true,
      ok: false,
      detail: `supervisor does not answer: unix://${supervisord.dir}/s.sock refused connection`,
    });
  });
});
