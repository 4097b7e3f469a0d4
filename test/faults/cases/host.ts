import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect } from 'vitest';
import { attempt, outcomeOf, violations } from '../harness/attempt.ts';
import { type CaseTable, tally } from '../harness/run-cases.ts';
import { openSupervisedWorld } from '../harness/supervised-world.ts';
import { openTlsWorld } from '../harness/tls-world.ts';
import { World } from '../harness/world.ts';

export const host: CaseTable<'host', void> = {
  'certificate expires mid-rollout': {
    speed: 'slow',
    async run() {
      const { world, certify, close } = await openTlsWorld();
      try {
        await certify(4_000);
        await world.restartAgent();
        const made = world.next();
        // The download outlives the certificate.
        const release = Promise.withResolvers<void>();
        world.origin.serve(`/${made.filename}`, { body: made.bytes, after: release.promise });
        const tried = await attempt(world, made, { during: (answered) => answered.then(() => release.resolve()) });
        const outcome = outcomeOf(world, tried).replace(/\(.*\)/, '(<names, dates>)');
        expect(outcome).toBe('Agent认证失败: Agent证书已过期 (<names, dates>)');
        await certify(3_600_000);
        await world.restartAgent();
        expect(await violations(world, tried)).toEqual([]);
        return { outcome };
      } finally {
        await close();
      }
    },
  },
  'out of file descriptors': {
    speed: 'slow',
    async run() {
      const world = await World.open();
      try {
        const outcomes: string[] = [];
        // From none that is free to nearly enough.
        for (const free of [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12]) {
          limitDescriptors(world, free);
          const tried = await attempt(world, world.next());
          const outcome = outcomeOf(world, tried);
          outcomes.push(outcome.split(/[:,;]/)[0]!);
          limitDescriptors(world, 10_000);
          // To remove a directory takes a descriptor too: what was left lying is swept at the next start.
          const faults = await violations(world, tried, { sweptAtStart: true });
          expect({ free, outcome, faults }).toEqual({ free, outcome, faults: [] });
          expect(outcome).not.toContain('内部错误');
        }
        return { outcome: tally(outcomes) };
      } finally {
        await world.close();
      }
    },
  },
  'supervisord down': {
    speed: 'slow',
    async run() {
      const supervised = await openSupervisedWorld();
      try {
        const { world } = supervised;
        await supervised.killSupervisord();
        const made = world.next();
        const tried = await attempt(world, made);
        const outcome = outcomeOf(world, tried);
        expect(outcome).toMatch(/^supervisor不可用: /);
        // Told before anything is downloaded.
        expect(world.origin.requests(`/${made.filename}`)).toBe(0);
        expect(await violations(world, tried, { mend: () => supervised.reviveSupervisord() })).toEqual([]);
        return { outcome: outcome.replace(/unix:\/\/\S*/, 'unix://<socket>') };
      } finally {
        await supervised.close();
      }
    },
  },
  'supervisord dies mid-restart': {
    speed: 'slow',
    async run() {
      const supervised = await openSupervisedWorld({ snagged: 'restart' });
      try {
        const { world, snag } = supervised;
        snag.arm();
        const tried = await attempt(world, world.next(), {
          during: async () => {
            const hanging = await snag.untilHanging();
            await supervised.killSupervisord();
            process.kill(hanging, 'SIGKILL');
          },
        });
        const outcome = outcomeOf(world, tried);
        expect(outcome).toMatch(
          /^supervisor不可用: .*; 已恢复到原版本, 当前版本 <old>, 恢复时出错: supervisor不可用: /,
        );
        expect(await violations(world, tried, { mend: () => supervised.reviveSupervisord() })).toEqual([]);
        return { outcome: outcome.replaceAll(/unix:\/\/\S*/g, 'unix://<socket>') };
      } finally {
        await supervised.close();
      }
    },
  },
};

/** So many numbers are left to what the agent opens from now on. */
function limitDescriptors({ agent }: World, free: number): void {
  const taken = new Set(readdirSync(`/proc/${agent.pid}/fd`).map(Number));
  let limit = 0;
  for (let left = free; left > 0 || taken.has(limit); limit += 1) if (!taken.has(limit)) left -= 1;
  execFileSync('prlimit', ['--pid', String(agent.pid), `--nofile=${limit}:`]);
}
