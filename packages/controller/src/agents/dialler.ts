import type { Socket } from 'node:net';
import { DeployError } from '@sampan/shared/errors.ts';
import { abortable } from '../abortable.ts';
import { GrpcSession } from '../grpc/grpc-session.ts';
import { Slots, Turn } from '../slots.ts';
import type { AgentAddress } from './agent-address.ts';
import { AgentConnection } from './agent-connection.ts';
import type { AgentSecurity, PreparedConnection } from './agent-security.ts';
import { connectSocket } from './connect-socket.ts';
import { onAbort } from './on-abort.ts';

/** An agent that was just starting answers the second time; what is no agent does not. */
const ATTEMPTS = 2;
/**
 * Agents that are connected to at one time. It is work for this one thread: of more, none is done sooner, all are done late, and
 * on a busy machine past their timeout.
 */
const MAX_CONNECTING = 32;
/** What takes longer waits for the other side, and another may begin: neither what is dead nor what is stuck holds up the rest. */
const TCP_HELD_MS = 250;
const HANDSHAKE_HELD_MS = 1_000;
/** Sockets that are being connected: enough for many dead hosts, few enough for a usual descriptor limit. */
const MAX_SOCKETS = 500;
const TICK_MS = 100;
/** After the last call. */
const IDLE_MS = 10 * 60_000;

export interface Dialling {
  security: AgentSecurity;
  timeoutMs: number;
}

/** Connects to agents, each in its turn. An agent's timeout runs while it is waited for, and stands still while others have theirs. */
export class Dialler {
  readonly #how: Dialling;
  readonly #sockets = new Slots(MAX_SOCKETS);
  readonly #connecting = new Slots(MAX_CONNECTING);

  constructor(how: Dialling) {
    this.#how = how;
  }

  /**
   * Connects to an agent, anew.
   * @throws DeployError AGENT_UNREACHABLE at once when it refuses or speaks no gRPC, AGENT_CONNECT_TIMEOUT when nothing answers
   * within `timeoutMs`, CERTIFICATE_REFUSED or IDENTITY_MISSING; what `signal` was aborted with.
   */
  async dial(address: AgentAddress, signal: AbortSignal): Promise<AgentConnection> {
    const turn = new Turn(this.#connecting, signal);
    const clock = new Stopwatch(this.#how.timeoutMs);
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        await turn.begin(TCP_HELD_MS);
        const connection = await this.#sockets.run(() => this.#attempt(address, { turn, clock, signal }), signal);
        if (connection) return connection;
      }
      throw new DeployError('AGENT_UNREACHABLE', { reason: `EPROTO ${address.key}` });
    } finally {
      turn.end();
    }
  }

  /** Undefined: it did not come up, and nothing is known of why. */
  async #attempt(address: AgentAddress, { turn, clock, signal }: Trying): Promise<AgentConnection | undefined> {
    const until = clock.over;
    const stopListening = onAbort(signal, () => clock.abort(signal.reason));
    const onConnected = async () => {
      clock.stop();
      await turn.begin(HANDSHAKE_HELD_MS);
      until.throwIfAborted();
      clock.start();
    };
    try {
      clock.start();
      return await this.#open(address, onConnected, until);
    } finally {
      stopListening();
      clock.stop();
    }
  }

  async #open(
    address: AgentAddress,
    onConnected: () => Promise<void>,
    until: AbortSignal,
  ): Promise<AgentConnection | undefined> {
    const { security } = this.#how;
    const prepared = security.prepare(address);
    const socket = await connectSocket(address, until);
    const peer = { ip: socket.remoteAddress ?? address.host, port: address.port };
    try {
      await onConnected();
      if (socket.destroyed) throw new Error('the connection ended while it waited for its turn');
      return await abortable(this.#speak(socket, prepared, address), until);
    } catch (error) {
      socket.destroy();
      until.throwIfAborted();
      if (error instanceof DeployError) throw error;
      await security.diagnose(address, peer, until);
      return undefined;
    }
  }

  async #speak(
    socket: Socket,
    { secure, refusal }: PreparedConnection,
    { key }: AgentAddress,
  ): Promise<AgentConnection> {
    const { timeoutMs } = this.#how;
    const session = await GrpcSession.open(await secure(socket), {
      authority: key,
      keepaliveMs: timeoutMs,
      idleMs: IDLE_MS,
    });
    return new AgentConnection(session, refusal);
  }
}

interface Trying {
  turn: Turn;
  clock: Stopwatch;
  /** Aborted when the pool closes. */
  signal: AbortSignal;
}

/**
 * The time that an agent has to answer, while it is waited for. It is counted in ticks: where the machine is so busy that this
 * process stands still, no tick comes, and answers that lie there meanwhile are read before the next.
 */
class Stopwatch {
  readonly #timeoutMs: number;
  readonly #over = new AbortController();
  #leftMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#leftMs = timeoutMs;
  }

  /** Aborted with AGENT_CONNECT_TIMEOUT once it has run for too long, or with what `abort` was told. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  start(): void {
    const tickMs = Math.min(TICK_MS, this.#timeoutMs);
    this.#timer = setInterval(() => {
      this.#leftMs -= tickMs;
      if (this.#leftMs <= 0) this.abort(new DeployError('AGENT_CONNECT_TIMEOUT', { seconds: this.#timeoutMs / 1000 }));
    }, tickMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  abort(reason: unknown): void {
    this.stop();
    this.#over.abort(reason);
  }
}
