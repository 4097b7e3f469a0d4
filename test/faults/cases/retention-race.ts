import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { TestAgentClient } from '../../helpers/agent-client.ts';
import { DEPLOYED, ROLLED_BACK, toldOf } from '../harness/answer.ts';
import { attempt, outcomeOf, standing } from '../harness/attempt.ts';
import { type Snag, snagIn } from '../harness/hanging-once.ts';
import { versionAt } from '../harness/invariants.ts';
import { type Package, packageOf } from '../harness/package.ts';
import type { Report } from '../harness/run-cases.ts';
import { World } from '../harness/world.ts';

const TARGET = { projectName: 'shop', linkName: 'web', language: 'php' } as const;
/** How long after a release was let go it is asked for again: before, while and after it goes. */
const WANTED_AFTER_MS = [0, 5, 10, 15, 20, 25, 30, 40, 60, 1000];
const KEEP = 3;

/**
 * Retention keeps as little as it may, and is asked for releases that a deploy needs at that moment: the one it goes back to,
 * the one it has staged, the one that somebody wants back just as it goes.
 */
export async function retentionAgainstDeploys(): Promise<Report> {
  let snag: Snag | undefined;
  const world = await World.open({
    agent: { releases: { keep: KEEP } },
    languages: (root) => {
      snag = snagIn(root);
      return { php: { hooks: { post_activate: { run: ['sh', '-c', snag.script] } } } };
    },
  });
  const client = new TestAgentClient(world.host);
  try {
    const outcome = await neededToGoBack(world, client, snag as Snag);
    await neededToActivate(world, client);
    for (const ms of WANTED_AFTER_MS) {
      await wantedBackAsItGoes(world, '/rollback', ms);
      await wantedBackAsItGoes(world, '/deploy', ms);
    }
    expect(await standing(world)).toEqual([]);
    return { outcome };
  } finally {
    client.close();
    await world.close();
  }
}

/** Past its flip a deploy hangs: what it left, and what it brought, cannot be removed. It goes back to a whole release. */
async function neededToGoBack(world: World, client: TestAgentClient, snag: Snag): Promise<string> {
  const old = versionAt(world.base, world.linkName) as string;
  const made = world.next();
  snag.arm();
  const tried = await attempt(world, made, {
    during: async () => {
      const hanging = await snag.untilHanging();
      expect(await remove(client, `${old}.tar.gz`)).toEqual({ removed: [], kept: [{ release: old, reason: 'held' }] });
      expect(await remove(client, made.filename)).toEqual({
        removed: [],
        kept: [{ release: made.version, reason: 'current' }],
      });
      process.kill(hanging, 'SIGKILL');
    },
  });
  const outcome = outcomeOf(world, tried);
  expect(outcome).toBe('钩子执行失败: post_activate SIGKILL; 已恢复到原版本, 当前版本 <old>');
  expect(versionAt(world.base, world.linkName)).toBe(old);
  expect(await standing(world)).toEqual([]);
  return outcome;
}

/** Staged and not yet activated: removed neither by name, nor because another deploy of the same link is newer. */
async function neededToActivate(world: World, client: TestAgentClient): Promise<void> {
  const staged = world.next();
  const fileUrl = `${world.origin.url}/${staged.filename}`;
  const order = { operationId: 'staged', target: TARGET, fileUrl, filename: staged.filename, holdMs: 1 };
  await client.stage(order);
  const kept = { removed: [], kept: [{ release: staged.version, reason: 'held' }] };
  expect(await remove(client, staged.filename)).toEqual(kept);
  for (let n = 0; n < KEEP; n += 1) expect(await world.deploy(world.next())).toEqual(DEPLOYED);
  expect(await remove(client, staged.filename)).toEqual(kept);
  expect(await world.listed()).toContain(staged.version);
  // Its own deploy is told what happened meanwhile; from then on nothing needs it.
  const activated = client.activate({ operationId: 'staged', target: TARGET, release: staged.version });
  await expect(activated).rejects.toMatchObject({ code: 'LINK_MOVED' });
  await expect.poll(() => world.listed()).not.toContain(staged.version);
}

/**
 * A deploy deletes a release, and shortly after it is answered the same release is asked for again. By a deploy it comes back
 * whole; by a rollback it does, or is not there any more.
 */
async function wantedBackAsItGoes(world: World, path: '/deploy' | '/rollback', afterMs: number): Promise<void> {
  const goes = world.next((version) => packageOf(version, { files: 20 }));
  const stays = world.next();
  for (const made of [goes, stays]) expect(await world.deploy(made)).toEqual(DEPLOYED);
  const newest = world.next();
  expect(await world.deploy(newest, { filename_delete: goes.filename })).toEqual(DEPLOYED);
  await delay(afterMs);
  const answer = await world.post(path, world.request(goes, { sha256: goes.sha256 }));
  const isBack = answer.status_code === 200;
  if (path === '/deploy') expect(answer).toEqual(DEPLOYED);
  else if (isBack) expect(answer).toEqual(ROLLED_BACK);
  else {
    const available = new RegExp(`^目标版本不存在: ${goes.version}, 可回滚的版本: ${stays.version}(, web-\\d+)*$`);
    expect(toldOf(answer, world.host)).toMatch(available);
  }
  expect(versionAt(world.base, world.linkName)).toBe(isBack ? goes.version : newest.version);
}

function remove(client: TestAgentClient, filename: Package['filename']): Promise<unknown> {
  return client.call('remove', { target: TARGET, filename });
}
