import { Agent, type Dispatcher, ProxyAgent } from 'undici';

const CONNECT_TIMEOUT_MS = 10_000;

/** Connections for one download, through `proxy` where there is one; whoever makes them destroys them. */
export function createDispatcher(proxy: string | null): Dispatcher {
  // One file over one connection: HTTP/2 would only put windows around it.
  if (proxy === null) return new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, allowH2: false });
  return new ProxyAgent({ uri: proxy, connectTimeout: CONNECT_TIMEOUT_MS, allowH2: false });
}
