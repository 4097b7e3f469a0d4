import { DeployError } from '@sampan/shared/errors.ts';
import { abortable } from '../abortable.ts';
import { Slots } from '../slots.ts';
import type { AgentAddress } from './agent-address.ts';
import type { AgentConnection } from './agent-connection.ts';
import { checkAlive } from './check-alive.ts';
import { Dialler, type Dialling } from './dialler.ts';

/** A connection that was heard of this recently is used as it is. */
const FRESH_MS = 15_000;
/** Silent connections that are asked for a sign of life at one time: dead ones take a timeout each, and must hold up nobody. */
const MAX_ASKED = 500;
const UNREACHABLE_KEPT_MS = 10 * 60_000;

/**
 * One connection per agent, opened when it is needed, shared by all, replaced when it breaks. The one door to agents: whoever
 * calls one asks for its connection first, and with that who the agent is is checked.
 *
 * INVARIANTS: an address has at most one connection in `#connections`, and it has not ended; an address is dialled once at a
 * time, and everybody who wants it waits for that; a failed dial is forgotten, so that the next request tries anew.
 */
export class AgentPool {
  readonly #how: Dialling;
  readonly #connections = new Map<string, AgentConnection>();
  /** Out of use, while calls over them may still run. */
  readonly #leaving = new Set<AgentConnection>();
  readonly #dialling = new Map<string, Promise<AgentConnection>>();
  /** When an address could last not be reached, oldest first. */
  readonly #unreachable = new Map<string, number>();
  readonly #dialler: Dialler;
  readonly #asked = new Slots(MAX_ASKED);
  readonly #closed = new AbortController();

  constructor(how: Dialling) {
    this.#how = how;
    this.#dialler = new Dialler(how);
  }

  /**
   * The connection to an agent, known to have answered in the last seconds.
   * @throws DeployError AGENT_UNREACHABLE at once, AGENT_CONNECT_TIMEOUT after the connect timeout,
   * CERTIFICATE_REFUSED when it is not the agent of that host, IDENTITY_MISSING; what `signal` was aborted with.
   */
  async connect(address: AgentAddress, signal: AbortSignal): Promise<AgentConnection> {
    signal.throwIfAborted();
    const connection = this.#connections.get(address.key);
    if (connection?.isWelcome() && connection.silentMs < FRESH_MS) return connection;
    const dialled = await abortable(this.#joinDial(address), signal);
    if (dialled.isWelcome()) return dialled;
    throw dialled.cutBecause;
  }

  /** How many agents are connected, and how many could not be reached when they were last tried in the past ten minutes. */
  count(): { connected: number; unreachable: number } {
    this.#forgetUnreachable();
    return { connected: this.#connections.size, unreachable: this.#unreachable.size };
  }

  /** Looks at every connection whether its agent may still be spoken to, and cuts those whose identity has ended. */
  cutUnwelcome(): void {
    for (const connection of [...this.#connections.values(), ...this.#leaving]) connection.isWelcome();
    for (const connection of this.#leaving) if (!connection.isBusy) this.#leaving.delete(connection);
  }

  /** Takes every connection out of use, so that the next call makes a new one with what we show of ourselves now. Calls that run may finish. */
  renewAll(): void {
    for (const connection of [...this.#connections.values()]) {
      this.#leaving.add(connection);
      connection.close();
    }
  }

  /** Closes every connection. Calls that run may finish. */
  close(): void {
    this.#closed.abort(new DeployError('CONTROLLER_DRAINING', {}));
    for (const connection of this.#connections.values()) connection.close();
  }

  #joinDial(address: AgentAddress): Promise<AgentConnection> {
    const running = this.#dialling.get(address.key);
    if (running) return running;
    const dialled = this.#renew(address).finally(() => this.#dialling.delete(address.key));
    this.#dialling.set(address.key, dialled);
    return dialled;
  }

  async #renew(address: AgentAddress): Promise<AgentConnection> {
    try {
      const connection = (await this.#stillAlive(address)) ?? (await this.#open(address));
      this.#unreachable.delete(address.key);
      return connection;
    } catch (error) {
      this.#unreachable.delete(address.key);
      this.#unreachable.set(address.key, performance.now());
      this.#forgetUnreachable();
      throw error;
    }
  }

  async #stillAlive(address: AgentAddress): Promise<AgentConnection | undefined> {
    const connection = this.#connections.get(address.key);
    if (!connection) return undefined;
    const found = await this.#asked.run(() => checkAlive(connection, this.#how.timeoutMs), this.#closed.signal);
    if (found === 'alive') return connection;
    connection.close();
    if (found === 'broken') return undefined;
    throw new DeployError('AGENT_CONNECT_TIMEOUT', { seconds: this.#how.timeoutMs / 1000 });
  }

  async #open(address: AgentAddress): Promise<AgentConnection> {
    const connection = await this.#dialler.dial(address, this.#closed.signal);
    this.#connections.set(address.key, connection);
    connection.ended.addEventListener('abort', () => this.#remove(address, connection), { once: true });
    if (connection.ended.aborted) this.#remove(address, connection);
    return connection;
  }

  #remove(address: AgentAddress, connection: AgentConnection): void {
    if (this.#connections.get(address.key) === connection) this.#connections.delete(address.key);
  }

  #forgetUnreachable(): void {
    const before = performance.now() - UNREACHABLE_KEPT_MS;
    for (const [key, atMs] of this.#unreachable) {
      if (atMs >= before) return;
      this.#unreachable.delete(key);
    }
  }
}
