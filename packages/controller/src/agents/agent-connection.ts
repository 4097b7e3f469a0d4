import type { Socket } from 'node:net';
import { type ChannelOptions, connectivityState as ConnectivityState } from '@grpc/grpc-js';
import type { AgentClient } from '@sampan/shared/gen/sampan/agent/v1/Agent.ts';
import { loadProto } from '@sampan/shared/load-proto.ts';
import type { AgentAddress } from './agent-address.ts';
import type { PreparedConnection } from './agent-security.ts';
import { channelTo } from './one-address-resolver.ts';
import { SocketCredentials } from './socket-credentials.ts';

const { types } = loadProto();
const IDLE_TIMEOUT_MS = 10 * 60_000;

/**
 * One HTTP/2 session with one agent. It is used while it is up and replaced when it is not: grpc-js's own reconnecting
 * would keep calls waiting through its backoff, without saying why.
 */
export class AgentConnection {
  readonly client: AgentClient;
  /** Aborted once the session is gone: lost, idle for ten minutes, told to go away, or closed. Running calls end by themselves. */
  readonly ended: AbortSignal;
  /** Aborted with the reason when the peer may not be spoken to any more: calls that run are given up. */
  readonly cut: AbortSignal;
  readonly #ended = new AbortController();
  readonly #cut = new AbortController();
  readonly #givenUp = new AbortController();
  readonly #prepared: PreparedConnection;
  #calls = 0;
  #heardAtMs = performance.now();
  #fault: unknown;

  /** `onConnected` is waited for once TCP is connected, before anything is said. */
  constructor(
    address: AgentAddress,
    prepared: PreparedConnection,
    { timeoutMs, onConnected }: { timeoutMs: number; onConnected(): Promise<void> },
  ) {
    this.#prepared = prepared;
    const { target, options } = channelTo(address, this.#givenUp.signal);
    const secure = async (socket: Socket) => {
      try {
        await onConnected();
        return await prepared.secure(socket);
      } catch (error) {
        this.#fault = error;
        throw error;
      }
    };
    const credentials = new SocketCredentials({ isSecure: prepared.isSecure, secure });
    this.client = new types.sampan.agent.v1.Agent(target, credentials, { ...optionsFor(timeoutMs), ...options });
    this.ended = this.#ended.signal;
    this.cut = this.#cut.signal;
  }

  /** Why the session did not come up, as far as TLS knows; undefined where it was not TLS. gRPC itself does not say. */
  get fault(): unknown {
    return this.#fault;
  }

  /**
   * Resolves to whether the session came up.
   * @throws what `signal` was aborted with; the connection is closed then, and what was being connected is given up.
   */
  async open(signal: AbortSignal): Promise<boolean> {
    const channel = this.client.getChannel();
    for (;;) {
      const state = channel.getConnectivityState(true);
      if (state === ConnectivityState.READY) {
        channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, () => this.close());
        return true;
      }
      if (state === ConnectivityState.TRANSIENT_FAILURE || state === ConnectivityState.SHUTDOWN) return false;
      await this.#changed(state, signal);
    }
  }

  /** To be called when the agent has said something: milliseconds since then decide whether it is asked for a sign of life. */
  heard(): void {
    this.#heardAtMs = performance.now();
  }

  get silentMs(): number {
    return performance.now() - this.#heardAtMs;
  }

  /** Whether the peer may still be spoken to. Where not, the connection is cut. */
  isWelcome(): boolean {
    const refusal = this.#prepared.refusal();
    if (refusal === undefined) return true;
    this.close();
    this.#cut.abort(refusal);
    return false;
  }

  /** To be called as a call begins; what it returns, when it has ended. */
  begin(): () => void {
    this.#calls += 1;
    return () => {
      this.#calls -= 1;
    };
  }

  /** Whether calls run. They may, after it was closed. */
  get isBusy(): boolean {
    return this.#calls > 0;
  }

  /** Takes no more calls; those that run may finish. */
  close(): void {
    if (this.ended.aborted) return;
    this.#ended.abort();
    this.client.close();
  }

  #changed(from: ConnectivityState, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const give = () => {
        // Before it is closed, which is a change of its state, too.
        reject(signal.reason);
        this.close();
        this.#givenUp.abort();
      };
      signal.addEventListener('abort', give, { once: true });
      this.client.getChannel().watchConnectivityState(from, Number.POSITIVE_INFINITY, () => {
        signal.removeEventListener('abort', give);
        resolve();
      });
    });
  }
}

function optionsFor(timeoutMs: number): ChannelOptions {
  return {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.enable_channelz': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.client_idle_timeout_ms': IDLE_TIMEOUT_MS,
    // While a call runs: an agent behind a cut wire is noticed, however long its deploy takes.
    'grpc.keepalive_time_ms': timeoutMs,
    'grpc.keepalive_timeout_ms': timeoutMs,
  };
}
