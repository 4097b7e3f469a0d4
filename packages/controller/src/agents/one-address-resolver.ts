import { type ChannelOptions, experimental } from '@grpc/grpc-js';
import type { AgentAddress } from './agent-address.ts';

const SCHEME = 'sampan-agent';
const ADDRESS_OPTION = 'sampan.agent_address';

/** What gRPC hands to `net.connect` as it is: with a signal, a connection that is being made can be given up. */
interface ConnectTo {
  host: string;
  port: number;
  signal: AbortSignal;
}

/** Knows the one address that its channel was made for. Names are resolved as the connection is made, by Node. */
class OneAddressResolver implements experimental.Resolver {
  readonly #listener: experimental.ResolverListener;
  readonly #address: ConnectTo;
  #isTold = false;

  constructor(_target: experimental.GrpcUri, listener: experimental.ResolverListener, options: ChannelOptions) {
    this.#listener = listener;
    this.#address = options[ADDRESS_OPTION] as ConnectTo;
  }

  /** Told once: who is told again asks again. */
  updateResolution(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const endpoints = experimental.statusOrFromValue([{ addresses: [this.#address] }]);
    process.nextTick(() => this.#listener(endpoints, {}, null, ''));
  }

  destroy(): void {
    this.#isTold = false;
  }

  static getDefaultAuthority({ path }: experimental.GrpcUri): string {
    return path;
  }
}

experimental.registerResolver(SCHEME, OneAddressResolver);

/** The channel's target and option for one agent. Aborting `signal` gives up a connection that is being made. */
export function channelTo(
  { host, port, key }: AgentAddress,
  signal: AbortSignal,
): { target: string; options: ChannelOptions } {
  return { target: `${SCHEME}:${key}`, options: { [ADDRESS_OPTION]: { host, port, signal } satisfies ConnectTo } };
}
