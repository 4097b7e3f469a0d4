import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => unknown;

/** Where artifacts come from, and how well. */
export interface FaultOrigin {
  url: string;
  port: number;
  /** Lets a path answer with bytes, or as a handler wants; `count` is 1 for its first request. Returns its URL. */
  serve(path: string, answer: Buffer | Handler): string;
  /** When each request of a path came, in milliseconds of `performance.now()`. */
  requests(path: string): number[];
  close(): Promise<void>;
}

/** An origin on a port of the system's choice. */
export async function startFaultOrigin(): Promise<FaultOrigin> {
  const answers = new Map<string, Buffer | Handler>();
  const times = new Map<string, number[]>();
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const past = times.get(path) ?? [];
    times.set(path, [...past, performance.now()]);
    response.on('error', () => undefined);
    const answer = answers.get(path);
    if (answer === undefined) response.writeHead(404).end();
    else if (Buffer.isBuffer(answer)) response.writeHead(200, { 'content-length': answer.length }).end(answer);
    else answer(request, response, past.length + 1);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    serve(path, answer) {
      answers.set(path, answer);
      times.delete(path);
      return url + path;
    },
    requests: (path) => times.get(path) ?? [],
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Sends bytes in so many pieces, one every so often: a deploy that takes long enough for something to happen. */
export function slowly(bytes: Buffer, { pieces, everyMs }: { pieces: number; everyMs: number }): Handler {
  return async (_request, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    const size = Math.ceil(bytes.length / pieces);
    for (let at = 0; at < bytes.length && !response.destroyed; at += size) {
      response.write(bytes.subarray(at, at + size));
      await delay(everyMs);
    }
    response.end();
  };
}
