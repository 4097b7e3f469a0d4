import { type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** The body as it came, and as JSON (undefined when it is none). */
  text: string;
  body: unknown;
}

export interface Request {
  method?: string;
  headers?: Record<string, string>;
  /** Sent as it is; an object as JSON. No Content-Type is added. */
  body?: string | Buffer | object;
  /** The address to call from: any of 127.0.0.0/8. */
  from?: string;
}

/** One HTTP request, just as told: any body with any method, which fetch does not do. */
export function sendRequest(url: string, { method = 'GET', headers = {}, body, from }: Request = {}): Promise<Answer> {
  const bytes = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const length = bytes === undefined ? {} : { 'content-length': String(Buffer.byteLength(bytes)) };
  return new Promise((resolve, reject) => {
    const options = { method, headers: { ...length, ...headers }, agent: false, ...(from && { localAddress: from }) };
    const sent = request(url, options, (response) => {
      text(response).then(
        (all) => resolve({ status: response.statusCode ?? 0, headers: response.headers, text: all, body: parse(all) }),
        reject,
      );
    });
    sent.on('error', reject);
    sent.end(bytes);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
