import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { parseJoinToken } from '@sampan/shared/identity/join-token.ts';
import { canonicalPem, pemSha256, splitPem } from '@sampan/shared/identity/pem.ts';
import { ConfigError } from '@sampan/shared/load-config.ts';
import { makeDirectory } from '../host/durable-file.ts';
import { chainFault, identityFault, writeIdentity } from '../identity/identity-files.ts';
import { ask } from './ask-controller.ts';
import { newRequest } from './certificate-request.ts';

export interface JoinRequest {
  /** Where the identity is to be. */
  dir: string;
  /** Such as `https://deploy.example:8080`. */
  controllerUrl: string;
  token: string;
  /** Whether an identity that is there may be replaced. */
  force: boolean;
}

/**
 * Makes a key on this host and gets a certificate for it. The controller is known by the hash that the token carries before
 * anything is sent to it; the key never leaves.
 * @throws ConfigError in words, whatever goes wrong; nothing has changed on this host then.
 */
export async function join({
  dir,
  controllerUrl,
  token,
  force,
}: JoinRequest): Promise<{ host: string; expiresAt: Date }> {
  const parsed = parseJoinToken(token);
  if (!parsed)
    throw new ConfigError('--token is no join token: expected sampan_join_… as sampan-controller join-token prints it');
  const url = httpsUrl(controllerUrl);
  if (!force && existsSync(joinPath(dir, 'agent.pem'))) {
    throw new ConfigError(`this host has joined already: ${dir} holds its identity (--force replaces it)`);
  }
  const ca = await pinnedCa(url, parsed.caSha256);
  const { key, csr } = await newRequest();
  const answer = await ask(url, { path: '/v1/agents/join', ca, body: { token: parsed.secret, csr } });
  const given = readAnswer(answer);
  const pem = { key, certificate: given.certificate, roots: given.roots };
  const fault =
    identityFault(pem) ??
    chainFault(pem) ??
    (certificatesIn(given.roots).some((root) => canonicalPem(root) === ca)
      ? undefined
      : 'the CA that the token names is not among its roots');
  if (fault !== undefined) throw new ConfigError(`the controller answered with what cannot be used: ${fault}`);
  await makeDirectory(dir);
  await writeIdentity(dir, pem);
  return { host: given.host, expiresAt: new X509Certificate(given.certificate).validToDate };
}

function httpsUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === 'https:') return url;
  throw new ConfigError(`--controller is ${text}, expected an address such as https://deploy.example:8080`);
}

/** The controller's CA, if it is the one that the token names. Only this question is asked before that is known. */
async function pinnedCa(url: URL, expected: string): Promise<string> {
  const shown = certificatesIn(await ask(url, { path: '/v1/agents/ca.pem', ca: undefined }));
  const [found] = shown.map(pemSha256);
  // What was compared and nothing else: whoever answered may have added a CA of their own.
  if (shown[0] && shown.length === 1 && found === expected) return canonicalPem(shown[0]);
  throw new ConfigError(
    `${url.origin} shows another CA (SHA-256 ${found ?? 'none'}${shown.length > 1 ? ', and more than one' : ''}) than the token names (${expected}); nothing was sent to it. Is it the right controller? A token from before a roll of the CA is no good any more.`,
  );
}

function readAnswer(text: string): { host: string; certificate: string; roots: string } {
  try {
    const { host, certificate, roots } = JSON.parse(text) as Record<string, unknown>;
    return { host: String(host), certificate: String(certificate), roots: String(roots) };
  } catch (cause) {
    throw new ConfigError('the controller answered with what cannot be used: no JSON', { cause });
  }
}

/** None where one of them cannot be read. */
function certificatesIn(pem: string): X509Certificate[] {
  try {
    return splitPem(pem).map((text) => new X509Certificate(text));
  } catch {
    return [];
  }
}
