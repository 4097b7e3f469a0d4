import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';

/** One GET over HTTPS, believing `ca` alone. */
export async function callHttps(
  url: string,
  { ca, token }: { ca: string; token?: string },
): Promise<{ status: number; body: string }> {
  const sent = request(url, {
    ca,
    agent: false,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: await text(response) };
}
