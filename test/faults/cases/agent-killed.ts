import { expect } from 'vitest';
import { type Answer, DEPLOYED } from '../harness/answer.ts';
import { attempt, outcomeOf, violations } from '../harness/attempt.ts';
import { callsOf, killAtEachCall } from '../harness/each-call.ts';
import { type Snag, snagIn } from '../harness/hanging-once.ts';
import { BIG, packageOf } from '../harness/package.ts';
import { killAtRandomTimes } from '../harness/random-kills.ts';
import { type CaseTable, type Report, tally } from '../harness/run-cases.ts';
import { sequences } from '../harness/sequences.ts';
import { killAt } from '../harness/strace.ts';
import { unpackedFiles } from '../harness/unpacked-files.ts';
import { until } from '../harness/until.ts';
import { World, type WorldSettings } from '../harness/world.ts';
import { killedBetweenWriteAndReread, killedWhileRestarting } from './supervised.ts';

/** kill -9 of the agent, and the same agent again at once: the deploy that it interrupted ends as if nothing had been. */
export const agentKilled: CaseTable<'agent killed -9', void> = {
  'during download': {
    speed: 'fast',
    run: () => killedWhen({}, (world) => stalling(world, { share: 0.5, unpacked: 1 })),
  },
  'during unpack': {
    speed: 'fast',
    // All but the end of the gzip: the unpacker has much to write.
    run: () => killedWhen({}, (world) => stalling(world, { share: 0.99, unpacked: 150 })),
  },
  'before promote': {
    speed: 'fast',
    run: () => killedInHook('pre_activate'),
  },
  'between promote and activate': {
    speed: 'slow',
    async run() {
      const [deploy] = sequences;
      const calls = await callsOf(deploy!);
      const promoted = calls.findIndex(
        ({ text }) => text.startsWith('rename') && text.includes('"<base>/.deploy/<new>")'),
      );
      // The first of these writes the outcome of staging, the second the intent to activate.
      const [, intent] = calls.slice(promoted).filter(({ name }) => name === 'fdatasync');
      const world = await deploy!.open();
      try {
        const tracing = await killAt(world.agent.pid, intent!);
        const tried = await attempt(world, world.next(), {
          during: async () => {
            await tracing.ended;
            await world.restartAgent();
          },
        });
        await tracing.detach();
        return await deployedAllTheSame(world, tried);
      } finally {
        await world.close();
      }
    },
  },
  'after activate before restart': {
    speed: 'fast',
    run: () => killedInHook('post_activate'),
  },
  'between config write and reread': { speed: 'slow', run: killedBetweenWriteAndReread },
  'while waiting for a restart': { speed: 'slow', run: killedWhileRestarting },
  'at every rename/fsync/symlink call, one by one': {
    speed: 'slow',
    async run() {
      const results = [];
      for (const sequence of sequences) {
        for (const result of await killAtEachCall(sequence)) {
          results.push({ ...result, point: `${sequence.name}: ${result.point}` });
        }
      }
      expect(results.filter(({ faults }) => faults.length > 0)).toEqual([]);
      expect(results.length).toBeGreaterThan(100);
      return { outcome: tally(results.map(({ outcome }) => outcome)), points: results };
    },
  },
  'at 200 random times': {
    speed: 'slow',
    async run() {
      const kills = await killAtRandomTimes({ seed: 20_260_801, times: 200 });
      expect(kills.filter(({ faults, outcome }) => faults.length > 0 || outcome !== DEPLOYED.data)).toEqual([]);
      expect(kills).toHaveLength(200);
      return { outcome: tally(kills.map(({ outcome }) => outcome)) };
    },
  },
};

interface Plan {
  made: Parameters<typeof attempt>[1];
  /** Resolves when the agent is to die. */
  isTime: () => Promise<unknown>;
}

/** An origin that stops after a part of the file when it is asked first; the time has come when so many files stand. */
function stalling(world: World, { share, unpacked }: { share: number; unpacked: number }): Plan {
  const made = world.next((version) => packageOf(version, BIG));
  const stallAfter = Math.floor(made.bytes.length * share);
  world.origin.serve(`/${made.filename}`, { body: made.bytes, stallAfter }, made.bytes);
  return { made, isTime: () => until('files are unpacked', () => unpackedFiles(world.base.dir) >= unpacked) };
}

async function killedWhen(settings: WorldSettings, plan: (world: World) => Plan): Promise<Report> {
  const world = await World.open(settings);
  try {
    const { made, isTime } = plan(world);
    const tried = await attempt(world, made, {
      during: async (answered) => {
        await Promise.race([isTime(), answered.then(unexpected)]);
        await world.restartAgent();
      },
    });
    return await deployedAllTheSame(world, tried);
  } finally {
    await world.close();
  }
}

function killedInHook(hook: 'pre_activate' | 'post_activate'): Promise<Report> {
  let snag: Snag | undefined;
  const languages: WorldSettings['languages'] = (root) => {
    snag = snagIn(root);
    return { php: { hooks: { [hook]: { run: ['sh', '-c', snag.script] } } } };
  };
  return killedWhen({ languages }, (world) => {
    snag?.arm();
    return { made: world.next(), isTime: async () => snag?.untilHanging() };
  });
}

async function deployedAllTheSame(world: World, tried: Awaited<ReturnType<typeof attempt>>): Promise<Report> {
  expect(tried.answer).toEqual(DEPLOYED);
  expect(await violations(world, tried)).toEqual([]);
  return { outcome: outcomeOf(world, tried) };
}

function unexpected(answer: Answer): never {
  throw new Error(`answered before the agent was killed: ${JSON.stringify(answer)}`);
}
