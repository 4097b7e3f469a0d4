import { DeployError } from '@sampan/shared/errors.ts';
import { redactUrl } from '@sampan/shared/redact-url.ts';
import type { AgentConfig } from '../config.ts';
import { type BodyChunks, bodyChunks } from './body-chunks.ts';
import type { Connections } from './connections.ts';
import { httpGet } from './http-get.ts';
import { connectionError, type Source } from './interruption.ts';
import { isUrlAllowed, originOf } from './url-allowed.ts';

/** An answer: its headers, and its body as far as somebody reads it. Whoever does not read it says `body.stop()`. */
export interface OpenedUrl {
  status: number;
  /** Of repeated headers the last. Names are in lower case. */
  header: (name: string) => string | undefined;
  body: BodyChunks;
  source: Source;
}

/** How URLs are opened. */
export interface OpenSettings {
  download: AgentConfig['download'];
  connections: Connections;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Asks for a URL and follows redirects. Every hop has to be allowed; user and password go to the origin that they were
 * given for and to no other.
 * @throws DOWNLOAD_NOT_ALLOWED, DOWNLOAD_REDIRECTS; what connectionError makes of a failing connection; the reason of `signal`.
 */
export async function openUrl(
  { url: text, headers }: { url: string; headers: Record<string, string> },
  settings: OpenSettings,
  signal: AbortSignal,
): Promise<OpenedUrl> {
  let url = parseUrl(text);
  for (let redirects = 0; ; redirects++) {
    const opened = await openOnce(url, headers, { settings, signal });
    const location = REDIRECTS.has(opened.status) ? opened.header('location') : undefined;
    if (location === undefined) return opened;
    opened.body.stop();
    if (redirects >= settings.download.max_redirects) {
      throw new DeployError('DOWNLOAD_REDIRECTS', { max: settings.download.max_redirects });
    }
    url = redirected(url, location);
  }
}

function parseUrl(text: string): URL {
  if (URL.canParse(text)) return new URL(text);
  const expected = 'an http or https URL';
  throw new DeployError('INVALID_REQUEST', { field: 'file_url', found: redactUrl(text), expected });
}

function redirected(from: URL, location: string): URL {
  if (!URL.canParse(location, from)) throw new DeployError('DOWNLOAD_NOT_ALLOWED', { origin: '[redacted]' });
  const url = new URL(location, from);
  if (url.origin === from.origin && url.username === '' && url.password === '') {
    url.username = from.username;
    url.password = from.password;
  }
  return url;
}

async function openOnce(
  url: URL,
  headers: Record<string, string>,
  { settings: { download, connections }, signal }: { settings: OpenSettings; signal: AbortSignal },
): Promise<OpenedUrl> {
  const origin = originOf(url);
  if (!isUrlAllowed(url, download.allow)) throw new DeployError('DOWNLOAD_NOT_ALLOWED', { origin });
  const source = { origin, ...connections.via };
  const timeoutMs = download.idle_timeout;
  try {
    const response = await httpGet(
      url,
      {
        connections,
        headers: { 'accept-encoding': 'identity', 'user-agent': 'sampan-agent', ...authorization(url), ...headers },
        answerTimeoutMs: timeoutMs,
      },
      signal,
    );
    const header = (name: string) => response.headersDistinct[name]?.at(-1);
    return { status: response.statusCode ?? 0, header, body: bodyChunks(response, timeoutMs), source };
  } catch (cause) {
    signal.throwIfAborted();
    throw connectionError(cause, source);
  }
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const pair = `${decoded(username)}:${decoded(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A bare % in it: it means itself.
    return text;
  }
}
