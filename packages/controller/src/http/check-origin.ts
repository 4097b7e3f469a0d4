import { isIP } from 'node:net';
import { DeployError } from '@sampan/shared/errors.ts';
import { CONTROLLER_SERVER_NAME } from '@sampan/shared/identity/identity-names.ts';
import type { FastifyRequest } from 'fastify';

/** By which names this controller is called, in lower case, beside IP addresses and localhost. */
export interface OwnNames {
  publicHosts: readonly string[];
}

/**
 * A browser is the one client that others can make call us: a page of another site (its Origin tells), or a name of theirs that
 * they point at our address, so that we look like their own site (the Host tells, since our names are known).
 * @throws DeployError HOST_FORBIDDEN or ORIGIN_FORBIDDEN.
 */
export function checkOrigin(request: FastifyRequest, names: OwnNames): void {
  const { origin } = request.headers;
  // Whether a proxy ends TLS before us cannot be seen here, so a page of http: may only be told apart where we end it.
  const own = URL.parse(`${request.protocol}://${request.host}`);
  if (request.host !== '' && !isOurName(own?.hostname ?? '', names)) {
    throw new DeployError('HOST_FORBIDDEN', { host: request.host });
  }
  // A page may read nothing that it GETs of another site, but for what comes over a WebSocket.
  const isRead = request.method === 'GET' && request.headers.upgrade === undefined;
  if (isRead || origin === undefined) return;
  const page = URL.parse(origin);
  const isOurs =
    page !== null && page.host === own?.host && (request.protocol === 'http' || page.protocol === 'https:');
  if (!isOurs) throw new DeployError('ORIGIN_FORBIDDEN', { origin, host: request.host });
}

function isOurName(name: string, { publicHosts }: OwnNames): boolean {
  const isOurs = name === 'localhost' || name === CONTROLLER_SERVER_NAME || publicHosts.includes(name);
  return isOurs || name.startsWith('[') || isIP(name) !== 0;
}
