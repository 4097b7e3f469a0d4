import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AttemptOptions } from './attempt.ts';
import { type Package, packageOf } from './package.ts';
import type { Call } from './strace.ts';
import { World, type WorldSettings } from './world.ts';

export interface Prepared {
  made: Package;
  options: AttemptOptions;
  mend?: () => void;
  /** Resolves once all is done that goes on behind the answer; soon in any case. */
  settled: () => Promise<void>;
}

/** Something that an agent does on disk in a fixed order of calls, as often as one likes. */
export interface Sequence {
  name: string;
  /** What its caller is told where nothing is wrong; versions as in `named`. */
  told: string;
  open(): Promise<World>;
  /** What to ask for next, and under which circumstances. */
  prepare(world: World): Promise<Prepared>;
  /** The calls to try, of all that it makes: what another sequence does alike is tried there. */
  points(calls: readonly Call[]): readonly Call[];
  /** A world is good for one time only. */
  once?: boolean;
}

/** One thread for the disk, so that calls have one order; releases are many, and none goes by itself. */
const settings: WorldSettings = { agentEnv: { UV_THREADPOOL_SIZE: '1' }, agent: { releases: { keep: 10_000 } } };

const small = (version: string) => packageOf(version, { files: 2 });

const settled = async () => undefined;

const deploy: Sequence = {
  name: 'a deploy',
  told: '部署成功!',
  open: () => World.open(settings),
  prepare: async (world) => ({ made: world.next(small), options: {}, settled }),
  points: (calls) => calls,
};

const deployThatDeletes: Sequence = {
  ...deploy,
  name: 'a deploy that deletes an old release',
  async prepare(world) {
    const old = world.next(small);
    for (const made of [old, world.next(small), world.next(small)]) await world.deploy(made);
    const place = join(world.base.dir, '.deploy', old.version);
    return {
      made: world.next(small),
      options: { more: { filename_delete: old.filename } },
      settled: () => untilGone(place),
    };
  },
  points: (calls) => from(calls, /rename\("<base>\/\.deploy\/[^.]/),
};

const firstDeploy: Sequence = {
  ...deploy,
  name: 'the first deploy to a base',
  open: () =>
    World.open({ ...settings, bare: true, base: 'opt/app', order: { language: 'golang', deploy_dir: 'app' } }),
  once: true,
  points: (calls) =>
    calls.slice(
      0,
      calls.findIndex(({ text }) => text.includes('.staging/<id>')),
    ),
};

const rollback: Sequence = {
  ...deploy,
  name: 'a rollback',
  told: '回滚成功!',
  async prepare(world) {
    const old = world.next(small);
    await world.deploy(old);
    await world.deploy(world.next(small));
    return { made: old, options: { path: '/rollback' }, settled };
  },
};

const failsFile = (root: string) => join(root, 'fails');

/** Its hook fails as long as a file is there. */
const goingBack: Sequence = {
  ...deploy,
  name: 'a deploy whose post_activate hook fails',
  told: '钩子执行失败: post_activate exit 1; 已恢复到原版本, 当前版本 <old>',
  open: () =>
    World.open({
      ...settings,
      languages: (root) => ({
        php: { hooks: { post_activate: { run: ['sh', '-c', `! test -e ${failsFile(root)}`] } } },
      }),
    }),
  async prepare(world) {
    const fails = failsFile(world.home.root);
    writeFileSync(fails, '');
    return { made: world.next(small), options: {}, settled, mend: () => rmSync(fails) };
  },
  points: (calls) => from(calls, /rename.*"<base>\/web"/),
};

export const sequences = [deploy, deployThatDeletes, firstDeploy, rollback, goingBack];

/** The calls from the first that matches. */
function from(calls: readonly Call[], first: RegExp): readonly Call[] {
  return calls.slice(calls.findIndex(({ text }) => first.test(text)));
}

const GONE_WITHIN_MS = 3000;

async function untilGone(path: string): Promise<void> {
  for (const giveUpAt = performance.now() + GONE_WITHIN_MS; existsSync(path) && performance.now() < giveUpAt; ) {
    await delay(5);
  }
}
