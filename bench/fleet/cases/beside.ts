import { mkdir, readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Requirement, systemRequirements } from '../../../test/setup/system-requirements.ts';
import { type Measurement, paired } from '../../measure/paired.ts';
import { median } from '../../measure/statistics.ts';
import { figure } from '../../measure/table.ts';
import { timed } from '../../measure/timed.ts';
import { makeSmallReleases } from '../../packages/small-releases.ts';
import { freePort } from '../../processes/free-port.ts';
import { startOrigin } from '../../processes/start-origin.ts';
import { ansibleWay } from '../beside/ansible-way.ts';
import { oldWay } from '../beside/old-way.ts';
import { sampanWay } from '../beside/sampan-way.ts';
import { type SshHosts, startSshHosts } from '../beside/ssh-hosts.ts';
import { sshWay } from '../beside/ssh-way.ts';
import type { Way } from '../beside/way.ts';
import type { FleetBench, FleetTable } from '../fleet-bench.ts';
import { loopbackHosts } from '../simulated/hosts.ts';

const SIZES = [1, 5, 20];
const QUICK_SIZES = [1];
const AGENT_NETWORK = 200;
const SSH_NETWORK = 201;
/** After each shipment, for what ran it to tidy up, unless that says otherwise: what is measured is one, not a queue of them. */
const REST_MS = 100;

interface OtherWay {
  label: string;
  needs: readonly Requirement[];
  /** So many times longer than Sampan it takes at the least, on the most hosts. */
  aim?: number;
  /** Takes seconds: fewer rounds tell enough. */
  isSlow?: boolean;
  open(ssh: SshHosts, dir: string, signal: AbortSignal): Promise<Way & Partial<AsyncDisposable>>;
}

const SSH: readonly Requirement[] = ['sshd', 'ssh', 'curl', 'GNU tar'];

const OTHERS: Readonly<Record<string, OtherWay>> = {
  sshPersistent: {
    label: "ssh 'curl | tar && ln', ControlPersist, warm",
    needs: SSH,
    aim: 2,
    open: async (ssh, dir, signal) => sshWay(ssh.persistentConfig, dir, signal),
  },
  ssh: {
    label: "ssh 'curl | tar && ln', a login each time",
    needs: SSH,
    open: async (ssh, dir, signal) => sshWay(ssh.config, dir, signal),
  },
  paramiko: {
    label: 'the old way: paramiko, wget, tar, ln',
    needs: ['sshd', 'ssh', 'wget', 'GNU tar', 'paramiko'],
    aim: 5,
    open: oldWay,
  },
  ansible: {
    label: 'Ansible: file, get_url, unarchive, file; pipelining',
    needs: ['sshd', 'ssh', 'GNU tar', 'ansible-playbook'],
    aim: 50,
    isSlow: true,
    open: ansibleWay,
  },
};

/** Milliseconds by number of hosts, of each way that could be tried. */
export interface Beside {
  rounds: number;
  slowRounds: number;
  sizes: readonly number[];
  ways: Record<string, { medianMs: number[]; timesSampan: number[] }>;
  /** What was left out, and what would have to be installed for it. */
  leftOut: Record<string, string>;
}

/** The same 200 KB release on the same machine, by Sampan and by what people use instead. */
export async function measureBeside(bench: FleetBench): Promise<Beside> {
  const { quick, dir, signal } = bench;
  const sizes = quick ? QUICK_SIZES : SIZES;
  const most = Math.max(...sizes);
  const fast = quick ? { warmups: 0, rounds: 1 } : { warmups: 1, rounds: 7 };
  const slow = quick ? { warmups: 0, rounds: 1 } : { warmups: 0, rounds: 2 };
  await using started = new AsyncDisposableStack();
  const originDir = join(dir, 'origin');
  await mkdir(originDir);
  const perSize = fast.warmups + fast.rounds;
  const names = await makeSmallReleases(originDir, perSize * sizes.length, signal);
  const origin = started.use(await startOrigin(originDir));
  const sampan = started.use(await sampanWay(loopbackHosts(most, AGENT_NETWORK), bench));
  const { ways, leftOut } = await openOthers(loopbackHosts(most, SSH_NETWORK), bench, started);
  const times: Record<string, number[][]> = {
    sampan: [],
    ...Object.fromEntries(Object.keys(ways).map((id) => [id, []])),
  };
  for (const [index, size] of sizes.entries()) {
    const shipping = (way: Way, network: number): Measurement<number> => {
      const left = names.slice(index * perSize, (index + 1) * perSize);
      const hosts = loopbackHosts(size, network);
      return () => shipOnce(way, { hosts, url: origin.url, name: left.shift() ?? '' }, signal);
    };
    const others = (isSlow: boolean) =>
      Object.entries(ways)
        .filter(([id]) => (OTHERS[id]?.isSlow ?? false) === isSlow)
        .map(([id, way]) => [id, shipping(way, SSH_NETWORK)] as const);
    const measured = [
      await paired(Object.fromEntries([['sampan', shipping(sampan, AGENT_NETWORK)], ...others(false)]), fast, signal),
      await paired(Object.fromEntries(others(true)), slow, signal),
    ];
    for (const [id, list] of measured.flatMap((found) => Object.entries(found))) times[id]?.push(list);
  }
  return { rounds: fast.rounds, slowRounds: slow.rounds, sizes, ways: summary(times), leftOut };
}

async function openOthers(
  hosts: readonly string[],
  { dir, signal }: FleetBench,
  started: AsyncDisposableStack,
): Promise<{ ways: Record<string, Way>; leftOut: Record<string, string> }> {
  const ways: Record<string, Way> = {};
  const leftOut: Record<string, string> = {};
  let ssh: SshHosts | undefined;
  for (const [id, { needs, open }] of Object.entries(OTHERS)) {
    const missing = needs.filter((name) => !systemRequirements[name].isMet());
    if (missing.length > 0) {
      leftOut[id] = howToInstall(missing);
      continue;
    }
    ssh ??= started.use(await startSshHosts(hosts, { dir, port: await freePort(), signal }));
    const way = await open(ssh, join(dir, id), signal);
    started.defer(async () => await way[Symbol.asyncDispose]?.());
    ways[id] = way;
  }
  return { ways, leftOut };
}

function howToInstall(missing: readonly Requirement[]): string {
  const packages = [...new Set(missing.flatMap((name) => systemRequirements[name].packages))];
  const verb = missing.length === 1 ? 'is' : 'are';
  return `${missing.join(', ')} ${verb} not here; on Debian and Ubuntu: apt-get install ${packages.join(' ')}`;
}

/** Milliseconds. What was shipped is looked at, and removed where nobody else does it. */
async function shipOnce(
  way: Way,
  order: { hosts: readonly string[]; url: string; name: string },
  signal: AbortSignal,
): Promise<number> {
  const { hosts, name } = order;
  const ms = await timed(() => way.ship({ hosts, name, url: `${order.url}/${name}.tar.gz` }));
  for (const host of hosts) {
    const base = way.baseOf(host);
    const target = await readlink(join(base, 'bench'));
    const files = await readdir(join(base, target));
    if (!target.includes(name) || files.length === 0)
      throw new Error(`${host}: ${base}/bench is ${target}, not ${name}`);
    if (way.isTidiedByUs) await rm(join(base, target), { recursive: true });
  }
  await delay(way.restMs ?? REST_MS, undefined, { signal });
  return ms;
}

function summary(times: Record<string, number[][]>): Beside['ways'] {
  const sampan = times.sampan?.map((list) => median(list)) ?? [];
  const of = (lists: number[][]) => {
    const medianMs = lists.map((list) => median(list));
    return { medianMs, timesSampan: medianMs.map((ms, index) => ms / (sampan[index] ?? Number.NaN)) };
  };
  return Object.fromEntries(Object.entries(times).map(([id, lists]) => [id, of(lists)]));
}

export function showBeside({ rounds, slowRounds, sizes, ways, leftOut }: Beside): FleetTable {
  const rows = Object.entries(ways).map(([id, { medianMs, timesSampan }]) => {
    const { label = 'Sampan: POST /deploy', aim } = OTHERS[id] ?? {};
    const cells = medianMs.map((ms, index) =>
      id === 'sampan' ? figure(ms) : `${figure(ms)} (×${figure(timesSampan[index] ?? Number.NaN)})`,
    );
    return [label, ...cells, aim === undefined ? '' : `×${aim}`];
  });
  return {
    head: ['a 200 KB release, ms', ...sizes.map((size) => (size === 1 ? '1 host' : `${size} hosts`)), 'aim'],
    rows,
    notes: [
      `Medians of ${rounds} rounds, of Ansible's ${slowRounds}; in brackets, how many times as long as Sampan's. The aim is for the most hosts.`,
      'All hosts are this one machine: real agents, and a real sshd, each host an address of it. All of its ways share its cores, and each ships to all hosts at once.',
      "Sampan's includes what the others do not do: the release is hashed, synced to the disk and checked, and can be gone back to.",
      ...Object.entries(leftOut).map(([id, why]) => `Left out: ${OTHERS[id]?.label ?? id}. ${why}.`),
    ],
  };
}
