import { X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import type { PeerCertificate } from 'node:tls';
import { CONTROLLER_SERVER_NAME, CONTROLLER_URI } from '@sampan/shared/identity/identity-names.ts';
import { ConfigError } from '@sampan/shared/load-config.ts';

const TIMEOUT_MS = 15_000;
const MAX_BYTES = 256 * 1024;

interface Question {
  path: string;
  /** The CA that must have signed the controller's certificate; undefined: whoever answers is asked, and not yet believed. */
  ca: string | undefined;
  body?: unknown;
}

/** Asks the controller over HTTPS, under its constant name: whatever its address is. @throws ConfigError in words. */
export async function ask(url: URL, { path, ca, body }: Question): Promise<string> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const sent = request(
    {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || 443,
      path,
      method: body === undefined ? 'GET' : 'POST',
      headers: { host: url.host, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      servername: CONTROLLER_SERVER_NAME,
      ...(ca === undefined ? { rejectUnauthorized: false } : { ca, checkServerIdentity: isController }),
      agent: false,
      signal,
    },
    (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BYTES) sent.destroy(new Error('the answer is too long'));
        chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(detailOf(text) ?? `HTTP ${response.statusCode}`));
      });
    },
  );
  sent.on('error', reject);
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  try {
    return await promise;
  } catch (cause) {
    const why = signal.aborted ? `no answer within ${TIMEOUT_MS / 1000} s` : (cause as Error).message;
    throw new ConfigError(`${url.origin}: ${why}`, { cause });
  }
}

/** The chain is good: the certificate must also be a controller's. */
function isController(_name: string, { raw }: PeerCertificate): Error | undefined {
  const names = new X509Certificate(raw).subjectAltName?.split(', ') ?? [];
  return names.includes(`URI:${CONTROLLER_URI}`) ? undefined : new Error('the certificate is not that of a controller');
}

/** The words of a problem document (RFC 9457). */
function detailOf(text: string): string | undefined {
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    return typeof detail === 'string' ? detail : undefined;
  } catch {
    return undefined;
  }
}
