import { Server, ServerCredentials } from '@grpc/grpc-js';
import { DeployError } from '@sampan/shared/errors.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type CuttableProxy, startProxy } from '../../helpers/cuttable-proxy.ts';
import { type FakeMethods, startFakeAgent } from '../../helpers/fake-agent.ts';
import { deployPlan, rollbackPlan, tester, testFleet, testRollouts, told } from '../../helpers/test-fleet.ts';

const staged = { result: { release: 'app', version: 'app' } };
const activated = { result: { version: 'app' } };
const step = (name: string) => ({ progress: { step: name, state: 'started' } });

/** An agent behind a proxy that can fail. */
async function distantAgent(methods: FakeMethods = {}) {
  const agent = await startFakeAgent(methods);
  return { agent, proxy: await startProxy(agent.port) };
}

/** Hangs until the test opens it. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}

async function deploy(hosts: string[], fleet = testFleet(), more = {}) {
  const { outcomes } = await (await testRollouts(fleet)).start(deployPlan(hosts, more), tester);
  return told(await outcomes);
}

describe('a rollout', () => {
  it('stages and activates under its own id on every host', async () => {
    const agents = [await startFakeAgent(), await startFakeAgent()];
    const { operationId, outcomes } = await (await testRollouts()).start(
      deployPlan(agents.map(({ host }) => host)),
      tester,
    );
    expect(told(await outcomes)).toEqual({ [agents[0]!.host]: 'OK', [agents[1]!.host]: 'OK' });
    for (const { calls } of agents) {
      expect(calls.map(({ method, request }) => [method, request.operationId])).toEqual([
        ['Stage', operationId],
        ['Activate', operationId],
      ]);
    }
  });

  it('activates a version by name for a rollback, without staging', async () => {
    const agent = await startFakeAgent();
    const { outcomes } = await (await testRollouts()).start(rollbackPlan([agent.host]), tester);
    expect(told(await outcomes)).toEqual({ [agent.host]: 'OK' });
    expect(agent.calls).toMatchObject([{ method: 'Activate', request: { choice: 'version', version: 'app-1' } }]);
  });

  it('tells of each host what its agent said, and stops for none of them', async () => {
    const fails = (error: DeployError) => startFakeAgent({ stage: () => Promise.reject(error) });
    const notFound = await fails(new DeployError('DOWNLOAD_HTTP_STATUS', { status: 404 }));
    const full = await fails(new DeployError('DISK_FULL', { path: '/opt/service' }));
    const wentBack = await startFakeAgent({
      activate: () => {
        const failed = new DeployError('RESTART_FAILED', { program: 'web', state: 'FATAL', output: '' });
        throw failed.withAftermath({ current: 'app-0', reverted: true });
      },
    });
    const good = await startFakeAgent();
    expect(await deploy([notFound, full, wentBack, good].map(({ host }) => host))).toEqual({
      [notFound.host]: '下载文件失败: HTTP 404',
      [full.host]: '磁盘空间不足: /opt/service',
      [wentBack.host]: '服务重启失败: web 状态为 FATAL; 已恢复到原版本, 当前版本 app-0',
      [good.host]: 'OK',
    });
    expect(notFound.calls.map(({ method }) => method)).toEqual(['Stage']);
  });

  it('says that an agent is too old for a method', async () => {
    const server = new Server();
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    onTestFinished(() => server.forceShutdown());
    expect(await deploy([`127.0.0.1:${port}`])).toEqual({
      [`127.0.0.1:${port}`]: 'Agent版本过旧: 不支持 Stage, 请升级该主机的 Agent',
    });
  });

  it('works on at most max_parallel hosts at one time', async () => {
    let running = 0;
    let most = 0;
    const agents = await Promise.all(
      Array.from({ length: 5 }, () =>
        startFakeAgent({
          stage: async (_request, write) => {
            most = Math.max(most, ++running);
            await new Promise((resolve) => setImmediate(resolve));
            running -= 1;
            write(staged);
          },
          activate: async (_request, write) => {
            most = Math.max(most, ++running);
            await new Promise((resolve) => setImmediate(resolve));
            running -= 1;
            write(activated);
          },
        }),
      ),
    );
    await deploy(
      agents.map(({ host }) => host),
      testFleet({ maxParallel: 2 }),
    );
    expect(most).toBe(2);
  });

  it('activates nowhere before every host has staged, or failed to', async () => {
    const finish = gate();
    const slow = await startFakeAgent({
      stage: async (_request, write) => {
        await finish.passed;
        write(staged);
      },
    });
    const quick = await startFakeAgent();
    const broken = await startFakeAgent({
      stage: () => Promise.reject(new DeployError('DISK_FULL', { path: '/opt' })),
    });
    const fleet = testFleet();
    const done = deploy([slow.host, quick.host, broken.host], fleet);
    await Promise.all([slow.called('Stage'), quick.called('Stage'), fleet.logged('host failed')]);
    expect(quick.calls.map(({ method }) => method)).toEqual(['Stage']);
    finish.open();
    expect(await done).toEqual({ [slow.host]: 'OK', [quick.host]: 'OK', [broken.host]: '磁盘空间不足: /opt' });
  });

  it('stages all hosts at once, but restarts at most restart_parallel of them', async () => {
    const counts = { staging: 0, activating: 0, mostActivating: 0 };
    const allStaged = gate();
    const agents = await Promise.all(
      Array.from({ length: 4 }, () =>
        startFakeAgent({
          stage: async (_request, write) => {
            counts.staging += 1;
            if (counts.staging === 4) allStaged.open();
            await allStaged.passed;
            write(staged);
          },
          activate: async (_request, write) => {
            counts.mostActivating = Math.max(counts.mostActivating, ++counts.activating);
            await new Promise((resolve) => setImmediate(resolve));
            counts.activating -= 1;
            write(activated);
          },
        }),
      ),
    );
    const hosts = agents.map(({ host }) => host);
    const answers = await deploy(hosts, testFleet({ restartParallel: 1 }), { restart: true });
    expect(Object.values(answers)).toEqual(['OK', 'OK', 'OK', 'OK']);
    expect(counts.mostActivating).toBe(1);
  });

  it('does not let a host that is down take the place of one that is up', async () => {
    const { proxy: silent } = await distantAgent();
    silent.swallow();
    const up = await startFakeAgent();
    const { outcomes } = await (await testRollouts(testFleet({ maxParallel: 1 }, 20_000))).start(
      deployPlan([silent.host, up.host]),
      tester,
    );
    await up.called('Stage');
    await silent.refuse();
    expect(told(await outcomes)).toEqual({
      [silent.host]: `Agent连接失败: ECONNREFUSED ${silent.host}`,
      [up.host]: 'OK',
    });
  });

  it('is joined by the same request while it runs, and starts anew afterwards', async () => {
    const finish = gate();
    const agent = await startFakeAgent({
      stage: async (_request, write) => {
        await finish.passed;
        write(staged);
      },
    });
    const rollouts = await testRollouts();
    const first = await rollouts.start(deployPlan([agent.host]), tester);
    await agent.called('Stage');
    const second = await rollouts.start(deployPlan([agent.host]), tester);
    const other = await rollouts.start(deployPlan([agent.host], { filename: 'other.tar.gz' }), tester);
    expect(second).toBe(first);
    expect(other).not.toBe(first);
    finish.open();
    await Promise.all([first.outcomes, other.outcomes]);
    expect(rollouts.count).toBe(0);
    expect((await rollouts.start(deployPlan([agent.host]), tester)).operationId).not.toBe(first.operationId);
  });

  it('lets the agents end at the deadline of the host by themselves', async () => {
    const agent = await startFakeAgent({
      stage: (request) => {
        expect(request.deadlineMs).toBeGreaterThan(2000);
        expect(request.deadlineMs).toBeLessThanOrEqual(3000);
        throw new DeployError('DEADLINE_EXCEEDED', { seconds: 3 });
      },
    });
    expect(await deploy([agent.host], testFleet({ timeoutMs: 3000 }))).toEqual({
      [agent.host]: '部署超时: 3 秒内未完成',
    });
  });

  it('gives up on an agent that lets its deadline pass and stays silent', async () => {
    const limits = { timeoutMs: 200, deadlineSlackMs: 100 };
    const hangs = () => new Promise<void>(() => undefined);
    const staging = await startFakeAgent({ stage: hangs });
    const activating = await startFakeAgent({
      activate: (_request, write) => {
        write(step('restart'));
        return hangs();
      },
    });
    const answers = await deploy([staging.host, activating.host], testFleet(limits));
    expect(answers).toEqual({
      [staging.host]: 'Agent连接中断: ETIMEDOUT, 软连接未切换',
      [activating.host]: '状态未知: ETIMEDOUT, 最后收到的步骤 restart',
    });
  });

  it('lets go of the link when it is not the turn of a staged host to restart in time', async () => {
    const slow = await startFakeAgent({ activate: () => new Promise(() => undefined) });
    const late = await startFakeAgent();
    const limits = { restartParallel: 1, timeoutMs: 400, deadlineSlackMs: 100 };
    const { outcomes } = await (await testRollouts(testFleet(limits))).start(
      deployPlan([slow.host, late.host], { restart: true }),
      tester,
    );
    expect(told(await outcomes)).toEqual({
      [slow.host]: '状态未知: ETIMEDOUT',
      [late.host]: '部署超时: 0.4 秒内未完成',
    });
    expect(late.calls.map(({ method }) => method)).toEqual(['Stage', 'CancelOperation']);
  });
});

describe('a connection that breaks', () => {
  /** The first call of a method breaks the connection, the second does what it should. */
  function breaking(method: 'stage' | 'activate', proxyOf: () => CuttableProxy): FakeMethods {
    let calls = 0;
    return {
      [method]: (_request: unknown, write: (event: object) => void) => {
        calls += 1;
        write(step('download'));
        if (calls > 1) return write(method === 'stage' ? staged : activated);
        proxyOf().cut();
        return new Promise<void>(() => undefined);
      },
    };
  }

  it.each(['stage', 'activate'] as const)('during %s is made again, and the same operation joined', async (method) => {
    let proxy: CuttableProxy | undefined;
    const agent = await startFakeAgent(breaking(method, () => proxy!));
    proxy = await startProxy(agent.port);
    expect(await deploy([proxy.host])).toEqual({ [proxy.host]: 'OK' });
    const sent = agent.calls.map((call) => [call.method, call.request.operationId]);
    const id = agent.calls[0]?.request.operationId;
    expect(sent).toEqual(
      method === 'stage'
        ? [
            ['Stage', id],
            ['Stage', id],
            ['Activate', id],
          ]
        : [
            ['Stage', id],
            ['Activate', id],
            ['Activate', id],
          ],
    );
  });

  it('takes nothing away from a result that was received', async () => {
    const { agent, proxy } = await distantAgent({
      activate: (_request, write) => {
        write(activated);
        write(step('cleanup'));
        return new Promise<void>(() => undefined);
      },
    });
    const fleet = testFleet();
    const done = deploy([proxy.host], fleet);
    await fleet.heardOf('cleanup');
    proxy.cut();
    expect(await done).toEqual({ [proxy.host]: 'OK' });
    expect(agent.calls.map(({ method }) => method)).toEqual(['Stage', 'Activate']);
  });

  it('before the agent may flip, and for longer than it is waited for, is a failure with the link unflipped', async () => {
    const { agent, proxy } = await distantAgent({ stage: () => new Promise(() => undefined) });
    const done = deploy([proxy.host], testFleet({ patienceMs: 700 }));
    await agent.called('Stage');
    await proxy.refuse();
    expect(await done).toEqual({ [proxy.host]: `Agent连接中断: ECONNREFUSED ${proxy.host}, 软连接未切换` });
  });

  it('between staging and activating, too', async () => {
    const { agent, proxy } = await distantAgent({
      stage: async (_request, write) => {
        write(staged);
        await proxy.refuse();
      },
    });
    expect(await deploy([proxy.host], testFleet({ patienceMs: 700 }))).toEqual({
      [proxy.host]: `Agent连接中断: ECONNREFUSED ${proxy.host}, 软连接未切换`,
    });
    expect(agent.calls.map(({ method }) => method)).toEqual(['Stage']);
  });

  it('before the agent may flip lets go of the link there, as soon as the agent is back', async () => {
    const { agent, proxy } = await distantAgent({ stage: () => new Promise(() => undefined) });
    const done = deploy([proxy.host], testFleet({ patienceMs: 300 }));
    await agent.called('Stage');
    await proxy.refuse();
    await done;
    await proxy.restore();
    await agent.called('CancelOperation');
    const [staged, cancelled] = [agent.calls[0], agent.calls.at(-1)];
    expect(cancelled?.request.operationId).toBe(staged?.request.operationId);
  });

  it('once the agent may have flipped, and until the deadline, leaves the state unknown', async () => {
    const { proxy } = await distantAgent({
      activate: (_request, write) => {
        write(step('flip'));
        return new Promise(() => undefined);
      },
    });
    const fleet = testFleet({ timeoutMs: 1200, patienceMs: 100 });
    const done = deploy([proxy.host], fleet);
    await fleet.heardOf('flip');
    await proxy.refuse();
    expect(await done).toEqual({ [proxy.host]: `状态未知: ECONNREFUSED ${proxy.host}, 最后收到的步骤 flip` });
  });

  it('is noticed on a wire that was cut without a word, and the operation joined when it is whole again', async () => {
    let calls = 0;
    const { agent, proxy } = await distantAgent({
      activate: (_request, write) => {
        calls += 1;
        if (calls > 1) return write(activated);
        return new Promise<void>(() => undefined);
      },
    });
    // Connect and keepalive timeouts of 0.5 s; grpc-js pings once a second at the most.
    const done = deploy([proxy.host], testFleet({ timeoutMs: 20_000 }, 500));
    await agent.called('Activate');
    proxy.swallow();
    const failed = expect.poll(() => proxy.opened, { timeout: 15_000 });
    await failed.toBeGreaterThan(2);
    await proxy.restore();
    expect(await done).toEqual({ [proxy.host]: 'OK' });
    expect(calls).toBe(2);
  });

  it.each([
    ['OPERATION_UNKNOWN', new DeployError('OPERATION_UNKNOWN', { operationId: 'x' })],
    ['OPERATION_INTERRUPTED', new DeployError('OPERATION_INTERRUPTED', { phase: 'activate' })],
  ])('and an agent that says %s then: the state is unknown, with the version that is current', async (code, error) => {
    let calls = 0;
    const { proxy } = await distantAgent({
      activate: () => {
        calls += 1;
        if (calls > 1) throw error;
        proxy.cut();
        return new Promise<void>(() => undefined);
      },
      getCurrentVersion: () => ({ version: 'app-7' }),
    });
    expect(await deploy([proxy.host])).toEqual({ [proxy.host]: `状态未知: ${code}, 当前版本 app-7` });
  });

  it('and an agent that knows how its interrupted operation ended: what it says', async () => {
    let calls = 0;
    const { proxy } = await distantAgent({
      activate: () => {
        calls += 1;
        const interrupted = new DeployError('OPERATION_INTERRUPTED', { phase: 'activate' });
        if (calls > 1) throw interrupted.withAftermath({ current: 'app-0', reverted: true });
        proxy.cut();
        return new Promise<void>(() => undefined);
      },
    });
    expect(await deploy([proxy.host])).toEqual({
      [proxy.host]: '操作被中断: Agent在 activate 阶段重启; 已恢复到原版本, 当前版本 app-0',
    });
  });

  it('and an agent that is stopping then: asked until it is back', async () => {
    let calls = 0;
    const { proxy } = await distantAgent({
      activate: (_request, write) => {
        calls += 1;
        if (calls === 1) {
          proxy.cut();
          return new Promise<void>(() => undefined);
        }
        if (calls === 2) throw new DeployError('AGENT_DRAINING', {});
        return write(activated);
      },
    });
    expect(await deploy([proxy.host])).toEqual({ [proxy.host]: 'OK' });
    expect(calls).toBe(3);
  });
});

describe('draining', () => {
  it('lets what runs finish within the grace', async () => {
    const finish = gate();
    const agent = await startFakeAgent({
      stage: async (_request, write) => {
        await finish.passed;
        write(staged);
      },
    });
    const rollouts = await testRollouts();
    const { outcomes } = await rollouts.start(deployPlan([agent.host]), tester);
    await agent.called('Stage');
    const drained = rollouts.drain({ finishMs: 20_000, cancelMs: 20_000 });
    finish.open();
    await drained;
    expect(told(await outcomes)).toEqual({ [agent.host]: 'OK' });
    expect(agent.calls.map(({ method }) => method)).toEqual(['Stage', 'Activate']);
  });

  it('then cancels what has not flipped, and what has not begun, and lets the rest finish', async () => {
    const cancelled = gate();
    const finish = gate();
    const staging = await startFakeAgent({
      stage: async () => {
        await cancelled.passed;
        throw new DeployError('OPERATION_CANCELLED', {});
      },
      cancelOperation: () => {
        cancelled.open();
        return { outcome: 'cancelled' };
      },
    });
    const flipped = await startFakeAgent({
      activate: async (_request, write) => {
        await finish.passed;
        write(activated);
      },
      cancelOperation: () => {
        finish.open();
        return { outcome: 'too_late' };
      },
    });
    const waiting = await startFakeAgent();
    const rollouts = await testRollouts(testFleet({ restartParallel: 1 }));
    const early = await rollouts.start(deployPlan([staging.host]), tester);
    const late = await rollouts.start(deployPlan([flipped.host, waiting.host], { restart: true }), tester);
    await Promise.all([staging.called('Stage'), flipped.called('Activate')]);
    await rollouts.drain({ finishMs: 50, cancelMs: 20_000 });
    expect(told(await early.outcomes)).toEqual({ [staging.host]: '操作已取消, 软连接未切换' });
    expect(told(await late.outcomes)).toEqual({
      [flipped.host]: 'OK',
      [waiting.host]: '操作已取消, 软连接未切换',
    });
    expect(waiting.calls.map(({ method }) => method)).toEqual(['Stage', 'CancelOperation']);
  });

  it('at last gives up on what does not answer, and says what is not known', async () => {
    const hangs = () => new Promise<void>(() => undefined);
    const staging = await startFakeAgent({ stage: hangs });
    const activating = await startFakeAgent({
      activate: (_request, write) => {
        write(step('restart'));
        return hangs();
      },
    });
    const fleet = testFleet();
    const rollouts = await testRollouts(fleet);
    const early = await rollouts.start(deployPlan([staging.host]), tester);
    const late = await rollouts.start(deployPlan([activating.host]), tester);
    await Promise.all([staging.called('Stage'), fleet.heardOf('restart')]);
    await rollouts.drain({ finishMs: 50, cancelMs: 50 });
    expect(told(await early.outcomes)).toEqual({ [staging.host]: '操作已取消, 软连接未切换' });
    expect(told(await late.outcomes)).toEqual({
      [activating.host]: '状态未知: ECANCELED, 最后收到的步骤 restart',
    });
  });

  it('gives up on a call that does not end, but not on the result that it has brought', async () => {
    const agent = await startFakeAgent({
      activate: (_request, write) => {
        write(activated);
        write(step('cleanup'));
        return new Promise<void>(() => undefined);
      },
    });
    const fleet = testFleet();
    const rollouts = await testRollouts(fleet);
    const { outcomes } = await rollouts.start(deployPlan([agent.host]), tester);
    await fleet.heardOf('cleanup');
    await rollouts.drain({ finishMs: 50, cancelMs: 50 });
    expect(told(await outcomes)).toEqual({ [agent.host]: 'OK' });
  });
});
