import { expect, it, onTestFinished } from 'vitest';
import { DeployingHost, targetOf } from '../../helpers/deploying-host.ts';
import { testController } from '../../helpers/test-controller.ts';
import { V1Client } from '../../helpers/v1-client.ts';

/** Longer than the test may take: only a look that fails ends it. */
const BAKE_SECONDS = 3600;

it('a bake that fails late goes back to a release that everybody had asked to delete, though the agent was killed in between', async () => {
  const host = await DeployingHost.start({ releases: { keep: 1 } });
  onTestFinished(() => host[Symbol.asyncDispose]());
  const api = new V1Client((await testController()).url);
  const begin = (version: string, more: object = {}) =>
    api.begin({
      operation: 'deploy',
      hosts: [host.agent.host],
      ...{ project_name: 'web', link_name: 'web', language: 'php' },
      ...{ file_url: host.offer(version), filename: `${version}.tar.gz` },
      ...more,
    });
  const looked = async () => host.origin.requested('/health', host.origin.requests('/health') + 1);
  const remove = () => host.client.call('Remove', { target: targetOf('web'), filename: 'old.tar.gz' });
  const kept = { removed: [], kept: [{ release: 'old', reason: 'just_left' }] };

  await api.watch(await begin('old')).closed;
  const health_check = { http: host.origin.serve('/health', { status: 200 }), interval_seconds: 0.05 };
  const id = await begin('new', { filename_delete: 'old.tar.gz', health_check, bake_seconds: BAKE_SECONDS });
  const watch = api.watch(id);
  await watch.until(({ state }) => state === 'baking');
  for (const version of ['api-1', 'api-2']) await host.deploy('api', version);
  await looked();
  expect(await remove()).toEqual(kept);

  await host.stopAgent('SIGKILL');
  await host.startAgent();
  await looked();
  for (const version of ['api-3', 'api-4']) await host.deploy('api', version);
  // The neighbour keeps what is current and what was left last.
  await expect.poll(() => host.releases()).toEqual(['api-3', 'api-4', 'new', 'old']);
  expect(await remove()).toEqual(kept);
  expect(host.current('web')).toBe('new');

  host.origin.serve('/health', { status: 503 });
  await watch.closed;
  expect(watch.course()).toBe('staging, activating 0, baking 0, failed');
  expect(host.current('web')).toBe('old');
  expect((await api.rollout(id)).hosts[host.agent.host]?.error).toMatchObject({
    code: 'HEALTH_CHECK_FAILED',
    aftermath: { current: 'old', reverted: true },
  });
});
