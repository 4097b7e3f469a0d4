import { join } from 'node:path';
import { recordOf } from '@sampan/controller/rollout/stored-rollout.ts';
import { expect, it } from 'vitest';
import { startFakeAgent } from '../../helpers/fake-agent.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { deployPlan, tester, testFleet, testRollouts, told } from '../../helpers/test-fleet.ts';
import { testStore } from '../../helpers/test-store.ts';

it('a rollout whose controller died between its last event and the word that it has ended is told as it ended', async () => {
  const agent = await startFakeAgent();
  const plan = deployPlan([agent.host]);
  const file = join(tempDir(), 'sampan.db');
  const dead = await testStore(file);
  await dead.rollouts.begin(recordOf('op-1', plan));
  const events = [
    { kind: 'rollout', state: 'staging' },
    { kind: 'rollout', state: 'activating', wave: 0 },
    { kind: 'host', host: agent.host, state: 'succeeded' },
    { kind: 'rollout', state: 'succeeded' },
  ];
  for (const [n, event] of events.entries()) {
    const at = new Date().toISOString();
    void dead.rollouts.happened('op-1', { seq: n + 1, at, ...event }, undefined);
  }
  await dead.close();
  const rollouts = await testRollouts(testFleet(), await testStore(file));
  const again = await rollouts.start(plan, tester);
  expect(again.operationId).toBe('op-1');
  expect(told(await again.outcomes)).toEqual({ [agent.host]: 'OK' });
  expect(agent.calls).toEqual([]);
});
