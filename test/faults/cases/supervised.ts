import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf } from '@sampan/agent/host/processes.ts';
import { expect } from 'vitest';
import { DEPLOYED, toldOf } from '../harness/answer.ts';
import { attempt, outcomeOf, standing, violations } from '../harness/attempt.ts';
import type { Report } from '../harness/run-cases.ts';
import { INITIALIZED, openSupervisedWorld, programText, type SupervisedWorld } from '../harness/supervised-world.ts';

/** The new text is written, supervisor has not read it, the agent dies: the old text is back before the agent serves. */
export function killedBetweenWriteAndReread(): Promise<Report> {
  return supervised({ snagged: 'reread' }, async (supervised) => {
    const { world, snag, configFile, initDeploy, supervisord } = supervised;
    const before = readFileSync(configFile, 'utf8');
    const text = programText(world, { seconds: 99_999 });
    const pids = await supervisord.pids();
    snag.arm();
    const answered = initDeploy(text);
    const hanging = await snag.untilHanging();
    expect(readFileSync(configFile, 'utf8')).toBe(text);
    await world.agent.stop('SIGKILL');
    process.kill(hanging, 'SIGKILL');
    await world.restartAgent();
    const answer = await answered;
    expect(toldOf(answer, world.host)).toBe(`Agent连接失败: ECONNREFUSED ${world.host}`);
    expect(readFileSync(configFile, 'utf8')).toBe(before);
    expect((await supervisord.run('reread')).stdout).toBe('No config updates to processes\n');
    expect(await standing(world)).toEqual([]);
    expect(await initDeploy(text)).toEqual(INITIALIZED);
    expect(readFileSync(configFile, 'utf8')).toBe(text);
    expect(await supervisord.pids()).toEqual(pids);
    return { outcome: 'Agent连接失败: ECONNREFUSED <host>' };
  });
}

/** The link is flipped, the program restarts, the agent dies: it goes on by itself, and the caller is told of success. */
export function killedWhileRestarting(): Promise<Report> {
  return supervised({}, async (supervised) => {
    const { world, initDeploy, supervisord } = supervised;
    await initDeploy(programText(world, { startSecs: 2 }));
    const [was] = [(await supervisord.pids()).web];
    const tried = await attempt(world, world.next(), {
      during: async () => {
        for (let now = was; now === was; ) now = await pidOf(supervised);
        await world.restartAgent();
      },
    });
    expect(tried.answer).toEqual(DEPLOYED);
    await expectRunning(supervised, tried.made.version);
    expect(await violations(world, tried)).toEqual([]);
    return { outcome: outcomeOf(world, tried) };
  });
}

async function supervised(
  settings: { snagged?: string },
  run: (supervised: SupervisedWorld) => Promise<Report>,
): Promise<Report> {
  const opened = await openSupervisedWorld(settings);
  try {
    const report = await run(opened);
    expect(await opened.othersFaults()).toEqual([]);
    return report;
  } finally {
    await opened.close();
  }
}

/** The pid of the project's program, in whatever state supervisor has it. */
async function pidOf({ supervisord }: SupervisedWorld): Promise<number | undefined> {
  const pid = Number((await supervisord.run('pid', 'web')).stdout);
  return pid > 0 ? pid : undefined;
}

/** The program runs, from the release that is current. */
async function expectRunning({ world, supervisord }: SupervisedWorld, version: string): Promise<void> {
  const { web } = await supervisord.untilRunning('web');
  expect(await identityOf(web ?? 0)).toBeDefined();
  expect(readFileSync(join('/proc', String(web), 'cwd/version.txt'), 'utf8')).toBe(version);
  expect(readFileSync(join(world.base.dir, 'web/version.txt'), 'utf8')).toBe(version);
}
