import { expect, it, vi } from 'vitest';
import { startFakeAgent } from '../../helpers/fake-agent.ts';
import { deployPlan, tester, testFleet, testRollouts, told } from '../../helpers/test-fleet.ts';
import { testStore } from '../../helpers/test-store.ts';

it('what was asked on another controller is looked after no more once it is answered, though that was not heard', async () => {
  const mayGoOn = Promise.withResolvers<void>();
  const agent = await startFakeAgent({
    async stage(_request, write) {
      await mayGoOn.promise;
      write({ result: { release: 'app', version: 'app' } });
    },
  });
  const store = await testStore();
  const { requests } = store.rollouts;
  const write = requests.answered.bind(requests);
  const answered = vi.spyOn(requests, 'answered').mockImplementationOnce(async (...args) => {
    await write(...args);
    throw new Error('the connection broke');
  });
  const open = vi.spyOn(requests, 'open');
  const { operationId, outcomes } = await (await testRollouts(testFleet(), store)).start(
    deployPlan([agent.host]),
    tester,
  );
  await agent.called('Stage');
  await requests.ask({ operationId, request: 'pause', who: 'tester' });
  await expect.poll(() => answered.mock.calls.length).toBe(1);
  mayGoOn.resolve();
  expect(told(await outcomes)).toEqual({ [agent.host]: 'OK' });
  await expect.poll(() => open.mock.lastCall).toEqual([[]]);
  expect(answered).toHaveBeenCalledTimes(1);
});
