import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { originOf } from './url-allowed.ts';

/**
 * Connections for one download, through `proxy` where there is one; whoever makes them destroys them.
 *
 * They are Node's own: undici, with the WebAssembly that it parses HTTP by, costs an agent 9 MiB for good.
 */
export class Connections {
  /** What errors add: the proxy, without its password, where there is one. */
  readonly via: { proxy?: string };
  readonly #proxyEnv: Record<string, string> | undefined;
  #http: HttpAgent | undefined;
  #https: TunnellingAgent | undefined;

  constructor(proxy: string | null) {
    this.via = proxy === null ? {} : { proxy: originOf(new URL(proxy)) };
    if (proxy !== null) this.#proxyEnv = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
  }

  /** What opens the connections to `url`. */
  agentFor({ protocol }: URL): HttpAgent {
    const proxyEnv = this.#proxyEnv;
    if (protocol === 'https:') {
      this.#https ??= new TunnellingAgent({ proxyEnv });
      return this.#https;
    }
    this.#http ??= new HttpAgent({ proxyEnv });
    return this.#http;
  }

  /** Closes those that are not through to their origin yet, which destroying the request that waits for them does not. */
  giveUpTunnels(error: unknown): void {
    this.#https?.giveUp(error);
  }

  /** Closes them, whatever they are doing. */
  destroy(): void {
    this.#http?.destroy();
    this.#https?.destroy();
    this.#https?.giveUp(new Error('closed'));
  }
}

/**
 * Node knows of a tunnel once the proxy has opened it and TLS is up in it. Until then it hears no abort, has no timeout and closes
 * nothing: a proxy that is silent would hold up a download for ever.
 */
class TunnellingAgent extends HttpsAgent {
  readonly #sockets = new Set<Duplex>();

  override createConnection(...how: Parameters<HttpsAgent['createConnection']>): Duplex | null | undefined {
    const socket = super.createConnection(...how);
    if (socket) {
      this.#sockets.add(socket);
      // Whoever waits for it is told, here or by Node.
      socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
    }
    return socket;
  }

  giveUp(error: unknown): void {
    for (const socket of this.#sockets) socket.destroy(error instanceof Error ? error : undefined);
  }
}
