import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Connections } from './connections.ts';
import { HttpTimeout } from './http-timeout.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** How to ask. */
export interface GetOptions {
  connections: Connections;
  headers: Record<string, string>;
  /** How long an answer may take to begin, in milliseconds. */
  answerTimeoutMs: number;
}

/**
 * Asks for a URL, as it is: user and password in it are ignored, redirects are not followed, nothing is decoded. Resolves
 * when the headers of the answer have come. An abort breaks off its body too.
 * @throws HttpTimeout; the system's or the parser's error; an AbortError.
 */
export function httpGet(
  url: URL,
  { connections, headers, answerTimeoutMs }: GetOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  if (signal.aborted) return Promise.reject(signal.reason);
  const ask = url.protocol === 'https:' ? requestHttps : requestHttp;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const options = { agent: connections.agentFor(url), headers, signal };
  const request = ask(`${url.origin}${url.pathname}${url.search}`, options, resolve);
  const giveUp = (error: unknown) => {
    reject(error);
    request.destroy();
    connections.giveUpTunnels(error);
  };
  const within = (ms: number, code: HttpTimeout['code']) => setTimeout(() => giveUp(new HttpTimeout(code)), ms);
  const onAbort = () => giveUp(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  let timer = within(CONNECT_TIMEOUT_MS, 'CONNECT_TIMEOUT');
  // Its bytes have left: there is a connection, through TLS and a proxy where they are in between.
  request.once('finish', () => {
    clearTimeout(timer);
    timer = within(answerTimeoutMs, 'ANSWER_TIMEOUT');
  });
  request.on('error', reject).end();
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  });
}
