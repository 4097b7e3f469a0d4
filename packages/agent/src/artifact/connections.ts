import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
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
  #https: HttpsAgent | undefined;

  constructor(proxy: string | null) {
    this.via = proxy === null ? {} : { proxy: originOf(new URL(proxy)) };
    if (proxy !== null) this.#proxyEnv = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
  }

  /** What opens the connections to `url`. */
  agentFor({ protocol }: URL): HttpAgent {
    const proxyEnv = this.#proxyEnv;
    if (protocol === 'https:') {
      this.#https ??= new HttpsAgent({ proxyEnv });
      return this.#https;
    }
    this.#http ??= new HttpAgent({ proxyEnv });
    return this.#http;
  }

  /** Closes them, whatever they are doing. */
  destroy(): void {
    this.#http?.destroy();
    this.#https?.destroy();
  }
}
