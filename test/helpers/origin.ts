import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** One request as it came. */
export interface OriginRequest {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingHttpHeaders;
}

/** How an answer behaves. Several for one path are used in turn, the last for good. */
export interface Behaviour {
  status?: number;
  headers?: Record<string, string>;
  body?: Buffer | string;
  /** The ETag header, quotes and `W/` included; with it If-None-Match and If-Range are answered. */
  etag?: string;
  /** Range is answered with 206. */
  ranges?: boolean;
  /** After so many bytes of the body the connection is broken. */
  breakAfter?: number;
  /** After so many bytes nothing more is sent, and the connection stays. */
  stallAfter?: number;
  /** Sends this many bytes at a time, this many milliseconds apart. */
  trickle?: { bytes: number; everyMs: number };
  /** No Content-Length: `chunked`, or the end of the connection ends the body. */
  framing?: 'chunked' | 'close';
  /** Never answers. */
  silent?: boolean;
  /** The body is not begun before this settles. */
  after?: Promise<unknown>;
}

/** An artifact origin on a port of its own, on loopback, that behaves as it is told. Closed when the test has finished. */
export class Origin {
  readonly requests: OriginRequest[] = [];
  readonly #paths = new Map<string, Behaviour[]>();
  readonly #waiting: (() => void)[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  static async start(host = '127.0.0.1'): Promise<Origin> {
    const origin = new Origin();
    origin.#server.on('connection', (socket: Socket) => {
      origin.#sockets.add(socket);
      socket.on('close', () => origin.#sockets.delete(socket)).on('error', () => socket.destroy());
    });
    origin.#server.listen(0, host);
    await once(origin.#server, 'listening');
    return origin;
  }

  /** Scheme, host and port. */
  get base(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
  }

  /** Sets how a path answers, in turn, and returns its URL. */
  serve(path: string, ...behaviours: Behaviour[]): string {
    this.#paths.set(path, behaviours);
    return this.base + path;
  }

  /** Resolves when this many requests have come. */
  async requested(count: number): Promise<void> {
    while (this.requests.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    for (const resolve of this.#waiting.splice(0)) resolve();
    const path = (request.url ?? '').replace(/\?.*$/, '');
    const behaviours = this.#paths.get(path) ?? [{ status: 404, body: 'not found' }];
    const behaviour = (behaviours.length > 1 ? behaviours.shift() : behaviours[0]) ?? {};
    if (behaviour.silent) return;
    await sendAnswer(request, response, behaviour);
  }
}

/** Starts an origin for this test. */
export async function startOrigin(host?: string): Promise<Origin> {
  const origin = await Origin.start(host);
  onTestFinished(() => origin.close());
  return origin;
}

async function sendAnswer(request: IncomingMessage, response: ServerResponse, behaviour: Behaviour): Promise<void> {
  const { etag, framing } = behaviour;
  if (etag !== undefined) response.setHeader('etag', etag);
  for (const [name, value] of Object.entries(behaviour.headers ?? {})) response.setHeader(name, value);
  if (etag !== undefined && request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  const body = partAsked(request, response, behaviour);
  if (framing === 'close') {
    response.useChunkedEncodingByDefault = false;
    response.shouldKeepAlive = false;
  } else if (framing === undefined) {
    response.setHeader('content-length', body.length);
  }
  response.flushHeaders();
  await behaviour.after;
  await sendBody(response, body, behaviour);
}

/** The part of the body that a Range header asks for, where it may be answered so, else all of it. Sets status and range. */
function partAsked(request: IncomingMessage, response: ServerResponse, behaviour: Behaviour): Buffer {
  const body = Buffer.from(behaviour.body ?? '');
  response.statusCode = behaviour.status ?? 200;
  const start = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  const condition = request.headers['if-range'];
  const isSame = condition === undefined || (condition === behaviour.etag && !condition.startsWith('W/'));
  if (start === undefined || !behaviour.ranges || !isSame || behaviour.status !== undefined) return body;
  response.statusCode = 206;
  if (!response.hasHeader('content-range')) {
    response.setHeader('content-range', `bytes ${start}-${body.length - 1}/${body.length}`);
  }
  return body.subarray(Number(start));
}

async function sendBody(response: ServerResponse, body: Buffer, behaviour: Behaviour): Promise<void> {
  const { breakAfter, stallAfter, trickle } = behaviour;
  const end = Math.min(breakAfter ?? body.length, stallAfter ?? body.length);
  const step = trickle?.bytes ?? 64 * 1024;
  for (let at = 0; at < end && !response.destroyed; at += step) {
    await written(response, body.subarray(at, Math.min(at + step, end)));
    if (trickle) await new Promise((resolve) => setTimeout(resolve, trickle.everyMs));
  }
  if (breakAfter !== undefined) response.socket?.destroySoon();
  else if (stallAfter === undefined) response.end();
}

function written(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (response.write(bytes)) return resolve();
    response.once('drain', resolve).once('close', resolve);
  });
}
