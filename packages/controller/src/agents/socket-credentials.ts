import type { Socket } from 'node:net';
import { CallCredentials, ChannelCredentials, type experimental } from '@grpc/grpc-js';

/** How a TCP connection becomes one that calls may go over. */
export interface SocketSecurity {
  isSecure: boolean;
  /** Resolves with the socket to speak HTTP/2 on. @throws why it may not be. */
  secure(socket: Socket): Promise<Socket>;
}

/** Credentials of one channel that do with its socket as they are told, where gRPC's own would hide what went wrong. */
export class SocketCredentials extends ChannelCredentials {
  readonly #security: SocketSecurity;

  constructor(security: SocketSecurity) {
    super();
    this.#security = security;
  }

  override _isSecure(): boolean {
    return this.#security.isSecure;
  }

  override _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  override _createSecureConnector(): experimental.SecureConnector {
    const { isSecure, secure } = this.#security;
    return {
      connect: async (socket) => ({ socket: await secure(socket), secure: isSecure }),
      waitForReady: async () => undefined,
      getCallCredentials: () => CallCredentials.createEmpty(),
      destroy: () => undefined,
    };
  }
}
