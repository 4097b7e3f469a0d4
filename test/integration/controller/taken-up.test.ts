import type { RolloutPlan } from '@sampan/controller/rollout/rollout-plan.ts';
import { Rollouts } from '@sampan/controller/rollout/rollouts.ts';
import { recordOf } from '@sampan/controller/rollout/stored-rollout.ts';
import type { Store } from '@sampan/controller/store/store.ts';
import { DeployError } from '@sampan/shared/errors.ts';
import { describe, expect, it } from 'vitest';
import { startProxy } from '../../helpers/cuttable-proxy.ts';
import { type FakeAgent, startFakeAgent } from '../../helpers/fake-agent.ts';
import { onEachDatabase, type TestDatabases } from '../../helpers/test-databases.ts';
import { deployPlan, rollbackPlan, tester, testFleet, testRollouts, told } from '../../helpers/test-fleet.ts';
import { testStore, unanswered } from '../../helpers/test-store.ts';

const MINUTE_MS = 60_000;

/** What a controller that died had written down. */
interface Left {
  plan: RolloutPlan;
  /** Hosts that had ended. */
  ended?: Record<string, 'OK' | DeployError>;
  /** All had ended, and this long ago. */
  endedAgoMs?: number;
  /** When it was started, and when hosts ended. */
  agoMs?: number;
}

/** The store of a controller that died and left `left` behind, under the ids op-0, op-1, … */
async function storeIn(databases: TestDatabases, ...left: Left[]): Promise<Store> {
  const file = await databases.create();
  const dead = await testStore(file);
  for (const [n, { plan, ended = {}, endedAgoMs }] of left.entries()) {
    const id = `op-${n}`;
    await dead.rollouts.begin(recordOf(id, plan));
    for (const [host, end] of Object.entries(ended)) {
      const error = end === 'OK' ? null : JSON.stringify({ code: end.code, params: end.params });
      dead.rollouts.hostEnded(id, { host, code: end === 'OK' ? 'OK' : end.code, error });
    }
    if (endedAgoMs !== undefined) await dead.rollouts.ended(id);
  }
  await dead.close();
  for (const [n, { agoMs = 0, endedAgoMs }] of left.entries()) {
    const before = (ms: number) => new Date(Date.now() - ms).toISOString();
    const id = `where operation_id = 'op-${n}'`;
    await databases.edit(file, `update rollouts set started_at = '${before(agoMs)}' ${id}`);
    await databases.edit(file, `update host_outcomes set ended_at = '${before(agoMs)}' ${id}`);
    if (endedAgoMs !== undefined)
      await databases.edit(file, `update rollouts set ended_at = '${before(endedAgoMs)}' ${id}`);
  }
  return await testStore(file);
}

const methods = ({ calls }: FakeAgent) => calls.map(({ method, request }) => `${method} ${request.operationId}`);

/** Resolves when the rollout that was left behind has. */
async function hasEnded({ rollouts }: Store): Promise<void> {
  await expect.poll(() => rollouts.hasEnded('op-0')).toBe(true);
}

/** Tells a caller of the same request, who takes the answer. */
async function ask(rollouts: Rollouts, plan: RolloutPlan) {
  const rollout = await rollouts.start(plan, tester);
  const outcomes = told(await rollout.outcomes);
  rollout.leave({ wasTold: true });
  return { operationId: rollout.operationId, outcomes };
}

onEachDatabase('a controller that comes back', (databases) => {
  const storeWith = (...left: Left[]) => storeIn(databases, ...left);

  describe('a rollout whose controller died', () => {
    it('goes on under its own id on hosts that had not ended, and leaves the others in peace', async () => {
      const [done, open] = [await startFakeAgent(), await startFakeAgent({ getOperation: unknownOperation })];
      const plan = deployPlan([done.host, open.host]);
      const store = await storeWith({ plan, ended: { [done.host]: 'OK' } });
      const rollouts = await testRollouts(undefined, store);
      expect(await ask(rollouts, plan)).toEqual({
        operationId: 'op-0',
        outcomes: { [done.host]: 'OK', [open.host]: 'OK' },
      });
      expect(methods(done)).toEqual([]);
      expect(methods(open)).toEqual(['GetOperation op-0', 'Stage op-0', 'Activate op-0']);
    });

    it('goes on unasked, as a rollback too', async () => {
      const agent = await startFakeAgent({ getOperation: unknownOperation });
      const store = await storeWith({ plan: rollbackPlan([agent.host]) });
      await testRollouts(undefined, store);
      await agent.called('Activate');
      expect(methods(agent)).toEqual(['GetOperation op-0', 'Activate op-0']);
      expect(agent.calls.at(-1)?.request).toMatchObject({ version: 'app-1' });
      await expect.poll(async () => (await unanswered(store.db, store.rollouts))[0]?.endedAtMs).toBeTypeOf('number');
    });

    it('sends the same requests as before: the URL too', async () => {
      const fileUrl = 'http://user:s3cr3t@origin/app.tar.gz?signature=s3cr3t';
      const agent = await startFakeAgent();
      await testRollouts(undefined, await storeWith({ plan: deployPlan([agent.host], { fileUrl, sha256: 'ab' }) }));
      expect(await agent.called('Stage')).toMatchObject({ fileUrl, filename: 'app.tar.gz', sha256: 'ab' });
    });

    it('sends nothing before it is told to', async () => {
      const agent = await startFakeAgent();
      const plan = deployPlan([agent.host]);
      const rollouts = new Rollouts(testFleet(), (await storeWith({ plan })).rollouts);
      const asked = ask(rollouts, plan);
      const other = await ask(rollouts, rollbackPlan([agent.host]));
      expect(methods(agent)).toEqual([`Activate ${other.operationId}`]);
      rollouts.takeUp();
      expect((await asked).outcomes).toEqual({ [agent.host]: 'OK' });
      expect(rollouts.count).toBe(0);
    });

    it('waits for an agent that is away, which alone knows whether it flipped', async () => {
      const agent = await startFakeAgent({ getOperation: () => ({ stage: 'succeeded', activate: 'running' }) });
      const proxy = await startProxy(agent.port);
      await proxy.refuse();
      const fleet = testFleet({ patienceMs: 100 });
      const plan = deployPlan([proxy.host]);
      const rollouts = await testRollouts(fleet, await storeWith({ plan }));
      const asked = ask(rollouts, plan);
      await fleet.logged('cannot ask the agent yet');
      await proxy.restore();
      expect((await asked).outcomes).toEqual({ [proxy.host]: 'OK' });
    });

    it('is unknown on a host whose agent stays away for as long as a host may take', async () => {
      const away = '127.0.0.1:1';
      const plan = deployPlan([away]);
      const rollouts = await testRollouts(testFleet({ timeoutMs: 300 }), await storeWith({ plan }));
      expect((await ask(rollouts, plan)).outcomes).toEqual({ [away]: `状态未知: ECONNREFUSED ${away}` });
    });

    it('is not said to be unflipped when its agent, told to activate before, is lost again', async () => {
      const getOperation = () => ({ stage: 'succeeded', activate: 'running' });
      const agent = await startFakeAgent({ getOperation, stage: () => hang() });
      const proxy = await startProxy(agent.port);
      const plan = deployPlan([proxy.host]);
      const limits = { timeoutMs: 1000, patienceMs: 100 };
      const rollouts = await testRollouts(testFleet(limits), await storeWith({ plan }));
      const asked = ask(rollouts, plan);
      await agent.called('Stage');
      await proxy.refuse();
      expect((await asked).outcomes).toEqual({ [proxy.host]: `状态未知: ECONNREFUSED ${proxy.host}` });
    });

    it('lets hosts that were told to restart do so, whoever waits for a place', async () => {
      const told = () => ({ stage: 'succeeded', activate: 'running' });
      const agents = await Promise.all(
        [1, 2, 3].map(() => startFakeAgent({ getOperation: told, activate: () => hang() })),
      );
      const plan = deployPlan(
        agents.map(({ host }) => host),
        { restart: true },
      );
      await testRollouts(testFleet({ maxParallel: 1, restartParallel: 1 }), await storeWith({ plan }));
      await Promise.all(agents.map((agent) => agent.called('Activate')));
    });

    it('that had stopped to be heard of for longer than a host may take is closed: what was not told to flip is cancelled', async () => {
      const strange = await startFakeAgent({ getOperation: unknownOperation });
      const staged = await startFakeAgent({ getOperation: () => ({ stage: 'succeeded', activate: '' }) });
      const flipped = await startFakeAgent({ getOperation: () => ({ stage: 'succeeded', activate: 'interrupted' }) });
      const plan = deployPlan([strange.host, staged.host, flipped.host]);
      const store = await storeWith({ plan, agoMs: 31 * MINUTE_MS });
      const rollouts = await testRollouts(testFleet({ timeoutMs: 30 * MINUTE_MS }), store);
      await hasEnded(store);
      expect(methods(strange)).toEqual(['GetOperation op-0']);
      expect(methods(staged)).toEqual(['GetOperation op-0', 'CancelOperation op-0']);
      expect(methods(flipped)).toEqual(['GetOperation op-0', 'Stage op-0', 'Activate op-0']);
      // The same request means a new deploy, now and after the next restart.
      await expect.poll(() => unanswered(store.db, store.rollouts)).toEqual([]);
      expect((await ask(rollouts, plan)).operationId).not.toBe('op-0');
    });

    it('that was heard of since is carried on, however long ago it was started', async () => {
      const [done, open] = [await startFakeAgent(), await startFakeAgent({ getOperation: unknownOperation })];
      const plan = deployPlan([done.host, open.host]);
      const file = await storeWith({ plan, ended: { [done.host]: 'OK' }, agoMs: 29 * MINUTE_MS });
      const rollouts = await testRollouts(testFleet({ timeoutMs: 30 * MINUTE_MS }), file);
      expect((await ask(rollouts, plan)).outcomes).toEqual({ [done.host]: 'OK', [open.host]: 'OK' });
    });
  });

  describe('an outcome that nobody was told because the controller died', () => {
    const gone = new DeployError('DOWNLOAD_HTTP_STATUS', { status: 404 });
    const outcomes = { '127.0.0.1:1': 'OK', '127.0.0.1:2': '下载文件失败: HTTP 404' };
    const plan = deployPlan(['127.0.0.1:1', '127.0.0.1:2']);
    const unheard = { plan, ended: { '127.0.0.1:1': 'OK', '127.0.0.1:2': gone } as const, endedAgoMs: 9 * MINUTE_MS };
    const refused = {
      '127.0.0.1:1': 'Agent连接失败: ECONNREFUSED 127.0.0.1:1',
      '127.0.0.1:2': 'Agent连接失败: ECONNREFUSED 127.0.0.1:2',
    };

    it('is told to who asks again within ten minutes, once', async () => {
      const store = await storeWith(unheard);
      const rollouts = await testRollouts(undefined, store);
      expect(await ask(rollouts, plan)).toEqual({ operationId: 'op-0', outcomes });
      const next = await ask(rollouts, plan);
      expect(next.outcomes).toEqual(refused);
      expect(next.operationId).not.toBe('op-0');
    });

    it('is still there for the next who asks, when its caller is cut off again', async () => {
      const rollouts = await testRollouts(undefined, await storeWith(unheard));
      const cutOff = await rollouts.start(plan, tester);
      await cutOff.outcomes;
      cutOff.leave({ wasTold: false });
      expect((await ask(rollouts, plan)).operationId).toBe('op-0');
    });

    it('is still there after one more restart', async () => {
      const file = await databases.create();
      const agent = await startFakeAgent({ getOperation: unknownOperation });
      const same = deployPlan([agent.host]);
      const first = await testStore(file);
      await first.rollouts.begin(recordOf('op-0', same));
      await first.close();
      const second = await testStore(file);
      await testRollouts(undefined, second);
      await hasEnded(second);
      await second.close();
      const third = await testRollouts(undefined, await testStore(file));
      expect(await ask(third, same)).toEqual({ operationId: 'op-0', outcomes: { [agent.host]: 'OK' } });
      expect(methods(agent)).toHaveLength(3);
    });

    it('is gone after ten minutes', async () => {
      const rollouts = await testRollouts(undefined, await storeWith({ ...unheard, endedAgoMs: 10 * MINUTE_MS }));
      expect((await ask(rollouts, plan)).outcomes).toEqual(refused);
    });

    it('is gone once anything else was begun on its link: it may not be true any more', async () => {
      const rollouts = await testRollouts(undefined, await storeWith(unheard));
      await ask(rollouts, rollbackPlan(['127.0.0.1:3']));
      expect((await ask(rollouts, plan)).outcomes).toEqual(refused);
    });

    it('is not one that a caller did not wait for while the controller lived', async () => {
      const file = await databases.create();
      const first = await testStore(file);
      const rollouts = await testRollouts(undefined, first);
      const rollout = await rollouts.start(plan, tester);
      rollout.leave({ wasTold: false });
      await rollout.outcomes;
      await first.close();
      const last = await testStore(file);
      expect(await unanswered(last.db, last.rollouts)).toEqual([]);
    });

    it('is one that was reached while its caller was being told', async () => {
      const file = await databases.create();
      const first = await testStore(file);
      const rollout = await (await testRollouts(undefined, first)).start(plan, tester);
      await rollout.outcomes;
      await first.close();
      const again = await ask(await testRollouts(undefined, await testStore(file)), plan);
      expect(again).toEqual({ operationId: rollout.operationId, outcomes: refused });
    });
  });

  it('a record that cannot be read keeps nothing from starting', async () => {
    const file = await databases.create();
    const first = await testStore(file);
    await first.rollouts.begin({ ...recordOf('op-0', deployPlan(['127.0.0.1:1'])), plan: '{"operation":"dance"}' });
    await first.close();
    const second = await testStore(file);
    const rollouts = await testRollouts(undefined, second);
    await hasEnded(second);
    expect(rollouts.count).toBe(0);
    await second.close();
    const last = await testStore(file);
    expect(await unanswered(last.db, last.rollouts)).toEqual([]);
  });

  it('a rollout that cannot be written down is not begun', async () => {
    const agent = await startFakeAgent();
    const store = await testStore(await databases.create());
    const rollouts = await testRollouts(undefined, store);
    await store.close();
    const rollout = await rollouts.start(deployPlan([agent.host]), tester);
    await expect(rollout.outcomes).rejects.toMatchObject({ code: 'STORE_UNWRITABLE' });
    expect(rollouts.count).toBe(0);
    expect(methods(agent)).toEqual([]);
  });
});

function unknownOperation(request: Record<string, unknown>): never {
  throw new DeployError('OPERATION_UNKNOWN', { operationId: String(request.operationId) });
}

function hang(): Promise<void> {
  return new Promise(() => undefined);
}
