import { afterEach, beforeEach, expect, it } from 'vitest';
import { DeployingHost, targetOf } from '../../../helpers/deploying-host.ts';

/*
 * A rollout that bakes, or that waits for a person, comes back to a release long after the agent has answered. The agent is not told
 * when the rollout ends.
 */

let host: DeployingHost;
let neighbours: string[];

beforeEach(async () => {
  host = await DeployingHost.start({ releases: { keep: 1 } });
  neighbours = [];
});

afterEach(() => host[Symbol.asyncDispose]());

const remove = (link: string, version: string) =>
  host.client.call('Remove', { target: targetOf(link), filename: `${version}.tar.gz` });

/** Lets another project of the same base delete a release of its own by age, and resolves when it has. */
async function retentionOfNeighbour(): Promise<void> {
  const standing = () => host.releases().filter((name) => name.startsWith('api-'));
  do {
    const version = `api-${neighbours.length + 1}`;
    await host.deploy('api', version);
    neighbours.push(version);
  } while (neighbours.length < 3);
  // What is current, and what was left last.
  await expect.poll(standing).toEqual(neighbours.slice(-2));
}

async function dieAndComeBack(): Promise<void> {
  await host.stopAgent('SIGKILL');
  await host.startAgent();
}

it('keeps the release that was left last, whoever asks for its end, until the link is flipped again', async () => {
  await host.deploy('web', 'old');
  await host.deploy('web', 'new', { filenameDelete: 'old.tar.gz' });
  const kept = { removed: [], kept: [{ release: 'old', reason: 'just_left' }] };
  await retentionOfNeighbour();
  expect(await remove('web', 'old')).toEqual(kept);
  // What is current is deployed again: nothing is flipped, but old releases go.
  expect((await host.activate('web', 'new', { operationId: 'again' })).result).toMatchObject({ unchanged: true });
  expect(await remove('web', 'old')).toEqual(kept);
  await dieAndComeBack();
  await retentionOfNeighbour();
  expect(await remove('web', 'old')).toEqual(kept);
  const { result } = await host.activate('web', 'old', { operationId: 'web-new-back' });
  expect(result).toMatchObject({ version: 'old', previousVersion: 'new' });
  expect(host.current('web')).toBe('old');
  // Now it is the other one that was left.
  expect(await remove('web', 'new')).toEqual({ removed: [], kept: [{ release: 'new', reason: 'just_left' }] });
  await host.deploy('web', 'newest');
  await expect.poll(() => host.releases().filter((name) => !name.startsWith('api-'))).toEqual(['newest', 'old']);
});

it('keeps the release before that a failed deploy did not change, and drops the failed one', async () => {
  await host.deploy('web', 'old');
  await host.deploy('web', 'new');
  const healthCheck = { command: { argv: ['false'] }, intervalMs: 60_000 };
  await expect(host.deploy('web', 'ill', { healthCheck })).rejects.toMatchObject({ code: 'HEALTH_CHECK_FAILED' });
  await expect.poll(() => host.releases()).toEqual(['new', 'old']);
  expect(await remove('web', 'old')).toEqual({ removed: [], kept: [{ release: 'old', reason: 'just_left' }] });
});

it('keeps what was staged and waits for its turn, over a restart of the agent too', async () => {
  await host.deploy('web', 'old');
  const release = await host.stage('web', 'new', 'waits');
  const kept = { removed: [], kept: [{ release: 'new', reason: 'held' }] };
  await retentionOfNeighbour();
  expect(await remove('web', 'new')).toEqual(kept);
  await dieAndComeBack();
  await retentionOfNeighbour();
  expect(await remove('web', 'new')).toEqual(kept);
  await host.activate('web', release, { operationId: 'waits' });
  expect(host.current('web')).toBe('new');
});
