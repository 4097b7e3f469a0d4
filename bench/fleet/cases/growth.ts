import { setTimeout as delay } from 'node:timers/promises';
import { median, quantile } from '../../measure/statistics.ts';
import { figure } from '../../measure/table.ts';
import { timed } from '../../measure/timed.ts';
import { askVersions, deploy, lookAtHosts } from '../controller/calls.ts';
import type { HostTimes } from '../controller/host-times.ts';
import { type ObservedController, startObservedController } from '../controller/observed-controller.ts';
import type { FleetBench, FleetTable } from '../fleet-bench.ts';
import { startSwallowingHosts } from '../simulated/dead-hosts.ts';
import { loopbackHosts } from '../simulated/hosts.ts';
import { startSimulatedAgents } from '../simulated/start-simulated-agents.ts';

const SIZES = [100, 500, 1000, 2000];
const QUICK_SIZES = [4, 8];
/** The agents' networks: 127.0.1.0 and so on. Behind them those of hosts that are not there. */
const FIRST_NETWORK = 1;
const REFUSING_NETWORK = 100;
const SWALLOWING_NETWORK = 120;
/** Of the hosts that are looked at, so many are not there: half refuse, half swallow. */
const DEAD_SHARE = 0.1;
const LOOK_EVERY_MS = 250;
const LOOKS_WITHIN_MS = 60_000;
/** Time for a controller to be done with what an answer leaves behind. */
const SETTLED_MS = 1_000;
const QUICK_SETTLED_MS = 50;

/** Milliseconds; of one host, and of all together. */
interface Spread {
  wallMs: number;
  hostP50Ms: number;
  hostP99Ms: number;
}

/** One controller with so many agents. */
export interface Growth {
  agents: number;
  /** No connection is open: the controller has just started. */
  cold: Spread;
  warm: Spread;
  rollout: Spread;
  hosts: {
    /** Of them so many are not there. */
    dead: number;
    /** Nothing is known of any. */
    firstMs: number;
    /** Until something is known of each living one, from the first request on. */
    livingKnownMs: number;
    /** All are known. */
    againMs: number;
  };
  rssMib: { idle: number; connected: number; atTheEnd: number; peak: number };
  openFiles: { idle: number; connected: number; most: number };
}

/** The same questions and the same rollout over more and more agents. */
export async function measureGrowth(bench: FleetBench): Promise<Growth[]> {
  const { quick, dir, home, agentPort } = bench;
  const sizes = quick ? QUICK_SIZES : SIZES;
  const hosts = loopbackHosts(sizes.at(-1) ?? 0, FIRST_NETWORK);
  await home.enroll(hosts);
  await using _agents = await startSimulatedAgents(hosts, { dir, identities: home.identities, port: agentPort });
  const growth: Growth[] = [];
  for (const size of sizes) growth.push(await measureSize(hosts.slice(0, size), bench));
  return growth;
}

async function measureSize(hosts: readonly string[], bench: FleetBench): Promise<Growth> {
  const { quick, signal, home, dir } = bench;
  const rounds = quick ? { cold: 1, warm: 2, rollouts: 1, watched: 1 } : { cold: 3, warm: 15, rollouts: 3, watched: 3 };
  const cold: Spread[] = [];
  for (let round = 1; ; round += 1) {
    await using controller = await startObservedController(home.program, { config: home.config, dir });
    const idle = { rss: controller.memory().rssMib, files: controller.openFiles() };
    const most = await controller.mostOpenFiles(async () => {
      cold.push(await watched(controller, () => askVersions(controller.url, hosts, signal)));
    });
    if (round < rounds.cold) continue;
    await delay(quick ? QUICK_SETTLED_MS : SETTLED_MS, undefined, { signal });
    const connected = { rss: controller.memory().rssMib, files: controller.openFiles() };
    const ask = () => askVersions(controller.url, hosts, signal);
    const warm = {
      wallMs: median(await times(rounds.warm, () => timed(ask))),
      ...eachHost(await times(rounds.watched, () => watched(controller, ask))),
    };
    let releases = 0;
    const rollOut = () => deploy(controller.url, { hosts, ...releaseNamed(`fleet-${++releases}`) }, signal);
    const rollout = {
      wallMs: median(await times(rounds.rollouts, () => timed(rollOut))),
      ...eachHost([await watched(controller, rollOut)]),
    };
    const looked = await measureHosts(hosts, controller, bench);
    await delay(quick ? QUICK_SETTLED_MS : SETTLED_MS, undefined, { signal });
    const { rssMib, peakMib } = controller.memory();
    return {
      agents: hosts.length,
      // Only this is watched as a whole: a controller has only one first time.
      cold: { wallMs: median(cold.map(({ wallMs }) => wallMs)), ...eachHost(cold) },
      warm,
      rollout,
      hosts: looked,
      rssMib: { idle: idle.rss, connected: connected.rss, atTheEnd: rssMib, peak: peakMib },
      openFiles: { idle: idle.files, connected: connected.files, most },
    };
  }
}

/** The list of hosts where nothing is known of any, until all that live are known, and then again. */
async function measureHosts(
  agents: readonly string[],
  { url }: ObservedController,
  { dir, agentPort, signal, quick }: FleetBench,
): Promise<Growth['hosts']> {
  const half = Math.ceil((agents.length * DEAD_SHARE) / 2);
  const swallowing = loopbackHosts(half, SWALLOWING_NETWORK);
  const dead = [...loopbackHosts(half, REFUSING_NETWORK), ...swallowing];
  const living = agents.slice(dead.length);
  // The dead ones first: whoever asks in this order, and waits for each, comes late to the living.
  const all = [...dead, ...living];
  await using _swallowing = await startSwallowingHosts(swallowing, { dir, port: agentPort });
  const startedAtMs = performance.now();
  const firstMs = await timed(() => lookAtHosts(url, all, signal));
  for (;;) {
    const views = await lookAtHosts(url, all, signal);
    if (living.every((host) => views[host]?.reachable)) break;
    if (performance.now() - startedAtMs > LOOKS_WITHIN_MS) throw new Error('/v1/hosts never knew all that live');
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
  const livingKnownMs = performance.now() - startedAtMs;
  const again = await times(quick ? 1 : 5, () => timed(() => lookAtHosts(url, all, signal)));
  return { dead: dead.length, firstMs, livingKnownMs, againMs: median(again) };
}

/** What nobody downloads: simulated agents say that they have. */
function releaseNamed(name: string): { fileUrl: string; filename: string } {
  return { fileUrl: `http://127.0.0.1/${name}.tar.gz`, filename: `${name}.tar.gz` };
}

async function watched(controller: ObservedController, work: () => Promise<unknown>): Promise<Spread> {
  let wallMs = 0;
  const hosts = await controller.watch(async () => {
    wallMs = await timed(work);
  });
  const each = hosts.filter(({ calls }) => calls.length > 0).map(timeOf);
  return { wallMs, hostP50Ms: quantile(each, 0.5), hostP99Ms: quantile(each, 0.99) };
}

/** All its calls, and, where there was none yet, the making of the connection that they went over. */
function timeOf({ dialledAtMs, calls }: HostTimes): number {
  const [first] = calls;
  const connecting = first && dialledAtMs !== null ? first.startedAtMs - dialledAtMs : 0;
  return calls.reduce((sum, { startedAtMs, endedAtMs }) => sum + endedAtMs - startedAtMs, connecting);
}

function eachHost(spreads: readonly Spread[]): Omit<Spread, 'wallMs'> {
  const of = (key: keyof Spread) => median(spreads.map((spread) => spread[key]));
  return { hostP50Ms: of('hostP50Ms'), hostP99Ms: of('hostP99Ms') };
}

async function times<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let index = 0; index < count; index += 1) results.push(await work());
  return results;
}

interface Row {
  name: string;
  of(growth: Growth): number;
  /** At the most, by the number of agents. */
  aims?: Record<number, number>;
}

const ROWS: readonly Row[] = [
  { name: 'version, no connection open: all, ms', of: ({ cold }) => cold.wallMs, aims: { 1000: 2500, 2000: 5000 } },
  { name: '— one host, p50, ms', of: ({ cold }) => cold.hostP50Ms },
  { name: '— one host, p99, ms', of: ({ cold }) => cold.hostP99Ms, aims: { 1000: 300, 2000: 300 } },
  { name: 'version, connected: all, ms', of: ({ warm }) => warm.wallMs, aims: { 1000: 250, 2000: 500 } },
  { name: '— one host, p50, ms', of: ({ warm }) => warm.hostP50Ms },
  { name: '— one host, p99, ms', of: ({ warm }) => warm.hostP99Ms },
  { name: 'rollout: all, ms', of: ({ rollout }) => rollout.wallMs },
  { name: '— one host, p50, ms', of: ({ rollout }) => rollout.hostP50Ms },
  { name: '— one host, p99, ms', of: ({ rollout }) => rollout.hostP99Ms },
  { name: '/v1/hosts, a tenth dead: the first time, ms', of: ({ hosts }) => hosts.firstMs },
  { name: '— until every living one is known, ms', of: ({ hosts }) => hosts.livingKnownMs },
  { name: '— again, ms', of: ({ hosts }) => hosts.againMs },
  { name: 'RSS, idle, MiB', of: ({ rssMib }) => rssMib.idle },
  { name: '— all connected, MiB', of: ({ rssMib }) => rssMib.connected, aims: { 2000: 450 } },
  { name: '— after all of this, MiB', of: ({ rssMib }) => rssMib.atTheEnd, aims: { 2000: 450 } },
  { name: '— at its peak, MiB', of: ({ rssMib }) => rssMib.peak, aims: { 2000: 450 } },
  { name: 'open files, all connected', of: ({ openFiles }) => openFiles.connected },
  { name: '— at the most, while connecting', of: ({ openFiles }) => openFiles.most },
];

export function showGrowth(growth: readonly Growth[]): FleetTable {
  const rows = ROWS.map(({ name, of, aims }) => [
    name,
    ...growth.map((one) => withAim(of(one), aims?.[one.agents])),
    exponent(growth, of),
  ]);
  return {
    head: ['agents', ...growth.map(({ agents }) => `${agents}`), 'grows as'],
    rows,
    notes: [
      'The controller runs as it is shipped, in a process of its own, under TLS with the certificates of `sampan-controller init`.',
      'Its agents are simulated, 500 to a process, on the same machine: each has its address, its certificate and the real door of an agent, and answers at once without touching a disk. So this is what the controller costs, and the handshakes of both sides.',
      'One host: from the beginning of its connection, where there was none, to the end of its answer; waiting for its turn is not in it. Of a rollout: its `Stage` and its `Activate`. Once connected, these are of rounds of their own: to be watched host by host costs the controller a tenth.',
      'Grows as: the exponent between the fewest and the most agents; n^1 is proportional.',
    ],
  };
}

function withAim(value: number, aim: number | undefined): string {
  if (aim === undefined) return figure(value);
  return `${figure(value)} ${value <= aim ? '≤' : '>'} ${aim}`;
}

/** Between the smallest and the largest size. */
function exponent(growth: readonly Growth[], of: (growth: Growth) => number): string {
  const [first, last] = [growth[0], growth.at(-1)];
  if (!first || !last || first === last) return '';
  return `n^${(Math.log(of(last) / of(first)) / Math.log(last.agents / first.agents)).toFixed(2)}`;
}
