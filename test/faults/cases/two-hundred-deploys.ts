import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { stringify } from 'yaml';
import { settled } from '../../../bench/measure/memory-watch.ts';
import { bundle } from '../../../packaging/bundle/bundle.ts';
import { AGENT_START } from '../../../packaging/program-start.ts';
import { type Origin, startOrigin } from '../../helpers/origin.ts';
import { sendRequest } from '../../helpers/send-request.ts';
import { agentConfig } from '../../helpers/start-agent.ts';
import { type StartedController, startController } from '../../helpers/start-controller.ts';
import { type StartedProcess, startProcess } from '../../helpers/start-process.ts';
import { keptTempDir } from '../../helpers/temp-dir.ts';
import { type Answer, DEPLOYED, toldOf } from '../harness/answer.ts';
import { type Base, diskFaults, leftovers, untilNone, versionAt } from '../harness/invariants.ts';
import { type Package, packageOf } from '../harness/package.ts';
import type { Report } from '../harness/run-cases.ts';

/** What the agent, bundled and started as it is shipped, may hold resident when it has settled: 60 MB. */
const LIMIT_MIB = 57;
const DEPLOYS = 200;
/** Of each way in which a deploy can go: what is opened once and kept is no leak. */
const WARM_UP = 8;
/** Connections to an origin are kept for a while. */
const SETTLES_WITHIN_MS = 60_000;
const UNCHANGED_MS = 6000;

interface Shipped {
  root: string;
  base: Base;
  packages: Map<string, Package[]>;
  host: string;
  agent: StartedProcess;
  controller: StartedController;
  origin: Origin;
  /** The file that makes the hook fail. */
  hookFails: string;
}

/** Every second deploy fails, in one of these ways: before anything is staged, while it is, and past the flip. */
const FAILURES: readonly { told: RegExp; serve?: (made: Package) => Buffer; order?: object; inHook?: boolean }[] = [
  { order: { file_url: 'http://127.0.0.1:1/none.tar.gz' }, told: /^下载文件失败: 无法从 / },
  { order: { sha256: '0'.repeat(64) }, told: /^文件校验失败: sha256 为 / },
  { serve: ({ bytes }) => bytes.subarray(0, bytes.length - 100), told: /^解压文件失败: 压缩包损坏 / },
  { inHook: true, told: /^钩子执行失败: post_activate exit 1; 已恢复到原版本, 当前版本 web-\d+$/ },
];

/** An agent as it is shipped comes back to where it started: memory, descriptors, children, what is on the disk. */
export async function twoHundredDeploys(): Promise<Report> {
  const shipped = await startShipped();
  try {
    for (let n = 1; n <= WARM_UP; n += 1) await deployOne(shipped, n);
    const before = await settledState(shipped);
    for (let n = WARM_UP + 1; n <= WARM_UP + DEPLOYS; n += 1) await deployOne(shipped, n);
    expect(await settledState(shipped)).toEqual(before);
    expect(await untilNone(() => [...diskFaults(shipped.base), ...leftovers(shipped.base)])).toEqual([]);
    const { rss } = await settled(shipped.agent.pid, { quick: false }, AbortSignal.timeout(90_000));
    expect(rss).toBeLessThanOrEqual(LIMIT_MIB);
    return { outcome: `back where it started; at most ${LIMIT_MIB} MiB resident` };
  } finally {
    await stop(shipped);
  }
}

async function startShipped(): Promise<Shipped> {
  const root = keptTempDir();
  const hookFails = join(root, 'hook-fails');
  const programs = join(root, 'programs');
  const unpack = 'packages/agent/src/unpack';
  await bundle(
    {
      'sampan-agent': 'packages/agent/src/main.ts',
      unpack: `${unpack}/main.ts`,
      'unpack-thread': `${unpack}/thread.ts`,
    },
    programs,
  );
  const { php, java, golang } = agentConfig(root).languages;
  const post_activate = { run: ['sh', '-c', `! rm ${hookFails} 2>/dev/null`] };
  const languages = { php: { ...php, hooks: { post_activate } }, java, golang };
  const config = join(root, 'agent.yaml');
  mkdirSync(join(root, 'service'));
  writeFileSync(config, stringify(agentConfig(root, { languages, releases: { keep: 3 }, download: { attempts: 1 } })));
  const started = await Promise.all([
    startProcess([...AGENT_START.flags, join(programs, 'sampan-agent.mjs'), '--config', config], {
      ready: 'agent is ready',
      cwd: root,
      // What tests save for each other, a host does not have.
      env: { ...AGENT_START.env, NODE_DISABLE_COMPILE_CACHE: '1' },
    }),
    startController(),
    startOrigin(),
  ]);
  const [agent, controller, origin] = started;
  const packages = new Map<string, Package[]>();
  const base = { dir: join(root, 'service'), packages };
  return { root, base, packages, host: `127.0.0.1:${agent.readyLine.grpcPort}`, agent, controller, origin, hookFails };
}

async function deployOne(shipped: Shipped, n: number): Promise<void> {
  const made = packageOf(`web-${n}`);
  shipped.packages.set(made.version, [made]);
  const failure = n % 2 === 0 ? FAILURES[(n / 2) % FAILURES.length] : undefined;
  const before = versionAt(shipped.base, 'web');
  const url = shipped.origin.serve(`/${made.filename}`, failure?.serve?.(made) ?? made.bytes);
  if (failure?.inHook) writeFileSync(shipped.hookFails, '');
  const body = {
    project_name: 'shop',
    link_name: 'web',
    language: 'php',
    server_list: [shipped.host],
    file_url: url,
    filename: made.filename,
    ...failure?.order,
  };
  const answer = (await sendRequest(`${shipped.controller.url}/deploy`, { method: 'POST', body })).body as Answer;
  if (failure) expect(toldOf(answer, shipped.host)).toMatch(failure.told);
  else expect(answer).toEqual(DEPLOYED);
  expect(versionAt(shipped.base, 'web')).toBe(failure ? before : made.version);
}

/** What must not grow. Looked at when nothing has changed for a while: idle connections and removals end behind the answers. */
async function settledState(shipped: Shipped): Promise<Record<string, unknown>> {
  let last = '';
  for (const giveUpAt = performance.now() + SETTLES_WITHIN_MS; ; ) {
    const now = stateOf(shipped);
    if (JSON.stringify(now) === last || performance.now() > giveUpAt) return now;
    last = JSON.stringify(now);
    await delay(UNCHANGED_MS);
  }
}

function stateOf({ agent, base }: Shipped): Record<string, unknown> {
  const releasesDir = join(base.dir, '.deploy');
  return {
    descriptors: descriptorsOf(agent.pid),
    children: childrenOf(agent.pid),
    base: readdirSync(base.dir).sort(),
    staging: readdirSync(join(releasesDir, '.staging')),
    releases: readdirSync(releasesDir).filter((name) => !name.startsWith('.')).length,
    manifests: readdirSync(join(releasesDir, '.meta')).length,
  };
}

/** What each open descriptor is, without the numbers that make it this one: how many there are of each kind. */
function descriptorsOf(pid: number): Record<string, number> {
  const kinds = readdirSync(`/proc/${pid}/fd`).map((fd) => kindOf(`/proc/${pid}/fd/${fd}`));
  return Object.fromEntries(
    [...new Set(kinds)].sort().map((kind) => [kind, kinds.filter((other) => other === kind).length]),
  );
}

function kindOf(fd: string): string {
  try {
    return readlinkSync(fd).replace(/\[\d+\]$/, '');
  } catch {
    return 'closed meanwhile';
  }
}

function childrenOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  );
}

async function stop({ root, agent, controller, origin }: Shipped): Promise<void> {
  await Promise.all([agent.stop('SIGKILL'), controller.stop('SIGKILL'), origin.close()]);
  await rm(root, { recursive: true, force: true });
}
