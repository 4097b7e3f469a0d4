import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** One request as it came. */
export interface OriginRequest {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingHttpHeaders;
}

/** How an answer behaves. */
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

/** What an origin speaks https with: one of the names in its certificate, which has to be resolved to its address. */
export interface OriginTls {
  name: string;
  key: string;
  certificate: string;
}

/** An artifact origin on a port of its own, on loopback, that behaves as it is told. */
export class Origin {
  /** All requests, in their order. */
  readonly received: OriginRequest[] = [];
  readonly #paths = new Map<string, Behaviour[]>();
  readonly #waiting: (() => void)[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #tls: OriginTls | undefined;
  readonly #server;

  private constructor(tls: OriginTls | undefined) {
    const answer = (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response);
    this.#tls = tls;
    this.#server = tls ? createHttpsServer({ key: tls.key, cert: tls.certificate }, answer) : createServer(answer);
  }

  static async start(host = '127.0.0.1', tls?: OriginTls): Promise<Origin> {
    const origin = new Origin(tls);
    origin.#server.on('connection', (socket: Socket) => {
      origin.#sockets.add(socket);
      socket.on('close', () => origin.#sockets.delete(socket)).on('error', () => socket.destroy());
    });
    origin.#server.listen(0, host);
    await once(origin.#server, 'listening');
    return origin;
  }

  /** Scheme, host and port. */
  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    if (this.#tls) return `https://${this.#tls.name}:${port}`;
    return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
  }

  /** Sets how a path answers, and returns its URL. Several answers are used in turn, the last for good. */
  serve(path: string, ...answers: (Buffer | Behaviour)[]): string {
    this.#paths.set(
      path,
      answers.map((answer) => (Buffer.isBuffer(answer) ? { body: answer } : answer)),
    );
    return this.url + path;
  }

  /** Lets requests for a path wait for ever. Resolves when the first has come. */
  async hang(path: string): Promise<void> {
    this.serve(path, { silent: true });
    await this.requested(path, this.requests(path) + 1);
  }

  /** How many requests for a path have come, whatever their query. */
  requests(path: string): number {
    return this.received.filter(({ url }) => pathIn(url) === path).length;
  }

  /** How much has been written to connections that are open; a part of it may be on its way. */
  get sentBytes(): number {
    return [...this.#sockets].reduce((total, socket) => total + socket.bytesWritten, 0);
  }

  /** Resolves when this many requests for a path have come. */
  async requested(path: string, count: number): Promise<void> {
    while (this.requests(path) < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    this.received.push({ method, url, headers });
    for (const resolve of this.#waiting.splice(0)) resolve();
    const behaviours = this.#paths.get(pathIn(url)) ?? [{ status: 404, body: 'not found' }];
    const behaviour = (behaviours.length > 1 ? behaviours.shift() : behaviours[0]) ?? {};
    if (behaviour.silent) return;
    await sendAnswer(request, response, behaviour);
  }
}

/** Starts an origin; whoever does closes it. */
export function startOrigin(host?: string, tls?: OriginTls): Promise<Origin> {
  return Origin.start(host, tls);
}

function pathIn(url: string): string {
  return url.replace(/\?.*$/, '');
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
    const goOn = () => {
      response.off('drain', goOn).off('close', goOn);
      resolve();
    };
    response.on('drain', goOn).on('close', goOn);
  });
}
