import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';

export interface Answer {
  status: number;
  text: string;
}

export interface AskOptions {
  body?: string;
  token?: string;
  /** The CA to believe; undefined: whoever answers (for the CA itself, and for a first sign of life). */
  ca?: string | undefined;
}

/** One request, as curl would send it. */
export async function ask(url: string, { body, token, ca }: AskOptions): Promise<Answer> {
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    // What curl -d says it sends.
    ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
  };
  const options = { method: body === undefined ? 'GET' : 'POST', headers };
  const sent = url.startsWith('https:')
    ? requestHttps(url, { ...options, ...(ca === undefined ? { rejectUnauthorized: false } : { ca }) })
    : requestHttp(url, options);
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, text: await text(response) };
}
