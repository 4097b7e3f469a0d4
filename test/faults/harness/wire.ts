import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { AGENT_PORT } from './fault-agent.ts';
import { until } from './until.ts';

/** What comes from the far end: everything, nothing, a refusal, or some of it. */
export type Passage = 'open' | 'nothing' | 'refused' | 'lossy';

/**
 * Two networks with a wire between them: that of this process, which must be one of its own (`unshare --net`), and a far one,
 * in which other processes can be started. Both have loopback addresses alone, on the wire too.
 */
export interface Wire {
  near: string;
  far: string;
  /** Words before a command line that runs it in the far network. */
  intoFar: readonly string[];
  /** Pulls the wire out, or puts it back. */
  plug(isIn: boolean): void;
  /** How packets fare in either direction; the wire itself stays in. */
  toFar(passage: Passage): void;
  fromFar(passage: Passage): void;
  /** As it was at first. Resolves once the agent at the far end can be reached again. */
  mend(): Promise<void>;
  remove(): void;
}

const NEAR = '127.77.0.1';
const FAR = '127.77.0.2';
/** In a hundred packets. */
const LOST = 20;

const RULES: Record<Passage, string | undefined> = {
  open: undefined,
  nothing: 'drop',
  refused: 'ip protocol tcp reject with tcp reset',
  lossy: `numgen random mod 100 < ${LOST} drop`,
};

export async function stretchWire(): Promise<Wire> {
  // It lives as long as something is in it: this process, to begin with.
  const holder = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', '--net', 'sleep', 'infinity'], {
    stdio: 'ignore',
  });
  const own = readlinkSync('/proc/self/ns/net');
  await until('there is a far network', () => networkOf(holder.pid) !== own);
  const intoFar = ['nsenter', `--net=/proc/${holder.pid}/ns/net`, '--'];
  execFileSync('ip', ['link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far', 'netns', String(holder.pid)]);
  const run = (words: readonly string[], command: readonly string[]) => {
    const [program, ...args] = [...words, ...command] as [string, ...string[]];
    execFileSync(program, args);
  };
  const ends = {
    near: { words: [], device: 'near', address: NEAR },
    far: { words: intoFar, device: 'far', address: FAR },
  } as const;
  for (const { words, device, address } of Object.values(ends)) run(words, ['sh', '-ec', setUp(device, address)]);
  // Packets are lost where they arrive: who sends them notices nothing.
  const arrive = ({ words, device }: (typeof ends)[keyof typeof ends], passage: Passage) => {
    run(words, ['nft', 'flush chain inet wire in']);
    const rule = RULES[passage];
    if (rule !== undefined) run(words, ['nft', `add rule inet wire in iifname ${device} ${rule}`]);
  };
  const plug = (isIn: boolean) => run(intoFar, ['ip', 'link', 'set', 'far', isIn ? 'up' : 'down']);
  return {
    near: NEAR,
    far: FAR,
    intoFar,
    plug,
    toFar: (passage) => arrive(ends.far, passage),
    fromFar: (passage) => arrive(ends.near, passage),
    async mend() {
      for (const end of Object.values(ends)) arrive(end, 'open');
      plug(true);
      // A wire that was pulled out takes a moment to carry again, and the kernel a moment to forget that nobody was there.
      while (!(await isReached(FAR, AGENT_PORT))) await delay(20);
    },
    remove: () => holder.kill('SIGKILL'),
  };
}

/** Loopback shrinks to its first address, so that the wire can have others. */
function setUp(device: string, address: string): string {
  return [
    'ip link set lo up',
    'ip addr del 127.0.0.1/8 dev lo',
    'ip addr add 127.0.0.1/32 dev lo',
    'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet',
    `ip addr add ${address}/24 dev ${device}`,
    `ip link set ${device} up`,
    'nft add table inet wire',
    "nft 'add chain inet wire in { type filter hook input priority 0; }'",
  ].join('\n');
}

async function isReached(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(500) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function networkOf(pid: number | undefined): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    // It has not come so far.
    return undefined;
  }
}
