import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** One end of the network: a namespace for a machine, with one interface and one address. */
export interface NetworkPort {
  address: string;
  /** What `Machine.boot` takes. It outlives the machine's reboots. */
  namespace: string;
}

/**
 * A network of machines that exists in namespaces alone: a switch, on which this test itself has an address, and a namespace for each
 * machine. Each namespace is held by a process and gone with it, and with it all interfaces. Needs root.
 */
export class MachineNetwork implements AsyncDisposable {
  readonly #holders: ChildProcess[] = [];
  #switch = '';

  /** `192.168.210.1` is the test's own address. */
  static async open(): Promise<MachineNetwork> {
    const network = new MachineNetwork();
    network.#switch = await network.#hold();
    network.#ip(network.#switch, 'link add br0 type bridge');
    network.#ip(network.#switch, 'addr add 192.168.210.1/24 dev br0');
    for (const name of ['lo', 'br0']) network.#ip(network.#switch, `link set ${name} up`);
    return network;
  }

  /** Where the test runs what is to reach the machines, as the arguments before a command. */
  get inside(): readonly string[] {
    return ['nsenter', '-t', this.#switch, '-n'];
  }

  /** One more machine may come, as `192.168.210.<host>`. */
  async addPort(host: number): Promise<NetworkPort> {
    const holder = await this.#hold();
    const address = `192.168.210.${host}`;
    this.#ip(this.#switch, `link add port${host} type veth peer name host0 netns ${holder}`);
    this.#ip(this.#switch, `link set port${host} master br0 up`);
    this.#ip(holder, `addr add ${address}/24 dev host0`);
    for (const name of ['lo', 'host0']) this.#ip(holder, `link set ${name} up`);
    return { address, namespace: `/proc/${holder}/ns/net` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#holders.map(async (holder) => {
        const ended = once(holder, 'exit');
        if (holder.exitCode === null && holder.kill('SIGKILL')) await ended;
      }),
    );
  }

  /** A process in a network namespace of its own; returns its pid once it is there. */
  async #hold(): Promise<string> {
    const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo here; exec sleep infinity'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#holders.push(holder);
    await once(holder.stdout, 'data');
    return String(holder.pid);
  }

  #ip(namespace: string, words: string): void {
    const { status, stderr } = spawnSync('nsenter', ['-t', namespace, '-n', 'ip', ...words.split(' ')], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`ip ${words}: ${stderr}`);
  }
}
