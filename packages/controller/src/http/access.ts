import { type BlockList, isIP, isIPv4 } from 'node:net';
import { DeployError } from '@sampan/shared/errors.ts';
import type { FastifyRequest } from 'fastify';

/** Who gets in. */
export interface AccessRules {
  /** Host names, in lower case, by which this controller may be called, beside IP addresses and localhost. */
  publicHosts: readonly string[];
  /** Who may call what is not public; undefined: everybody who can reach the address. */
  allowedClients: BlockList | undefined;
}

/** What anybody may read: it changes nothing and names no project and no host. */
export const PUBLIC_ROUTES: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics', '/openapi.json']);

/**
 * Decides on every request, before its body is read.
 * A browser is the one client that others can make call us: a page of another site (its Origin tells), or a name of theirs that
 * they point at our address, so that we look like their own site (the Host tells, since our names are known).
 * @throws DeployError HOST_FORBIDDEN, ORIGIN_FORBIDDEN or CLIENT_FORBIDDEN.
 */
export function checkAccess(request: FastifyRequest, rules: AccessRules): void {
  const { origin } = request.headers;
  const host = hostOf(`http://${request.host}`);
  if (request.host !== '' && !isOurName(host, rules)) throw new DeployError('HOST_FORBIDDEN', { host: request.host });
  if (request.method !== 'GET' && origin !== undefined && hostOf(origin) !== host) {
    throw new DeployError('ORIGIN_FORBIDDEN', { origin, host: request.host });
  }
  if (isPublic(request) || isAllowed(request.ip, rules)) return;
  throw new DeployError('CLIENT_FORBIDDEN', { address: request.ip });
}

/** Name and port; empty for what is no URL, such as the Origin `null`. */
function hostOf(url: string): string {
  return URL.parse(url)?.host ?? '';
}

function isOurName(host: string, { publicHosts }: AccessRules): boolean {
  const name = URL.parse(`http://${host}`)?.hostname ?? '';
  return name.startsWith('[') || isIP(name) !== 0 || name === 'localhost' || publicHosts.includes(name);
}

function isPublic(request: FastifyRequest): boolean {
  const { url } = request.routeOptions;
  return url !== undefined && (PUBLIC_ROUTES.has(url) || url === '/docs' || url.startsWith('/docs/'));
}

/** The peer of the connection counts; what a client writes into X-Forwarded-For proves nothing. */
function isAllowed(address: string, { allowedClients }: AccessRules): boolean {
  if (allowedClients === undefined) return true;
  const plain = address.replace(/^::ffff:/, '');
  return allowedClients.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6');
}
