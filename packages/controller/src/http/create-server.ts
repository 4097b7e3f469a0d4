import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { CONTROLLER_SERVER_NAME } from '@sampan/shared/identity/identity-names.ts';
import type { HttpsCredentials } from './https-credentials.ts';
import { MAX_HEADER_BYTES, REQUEST_TIMEOUT_MS } from './limits.ts';

const KEEP_ALIVE_MS = 72_000;
const HANDSHAKE_MS = 10_000;

/**
 * A server for plain HTTP, or, with credentials, for HTTPS: handshakes after a change use the new ones, open connections go on.
 * `joining` is what is shown to hosts that join: they ask for the controller's constant name, and believe our own CA alone.
 */
export function createServer(
  handler: RequestListener,
  credentials: HttpsCredentials | undefined,
  joining: HttpsCredentials | undefined,
): Server {
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    shouldUpgradeCallback: isForWebSocket,
  };
  if (!credentials) return createHttpServer(limits, handler);
  const context = (): SecureContextOptions => ({ ...credentials.current(), minVersion: 'TLSv1.2' });
  const server = createHttpsServer({ ...limits, ...context(), handshakeTimeout: HANDSHAKE_MS }, handler);
  credentials.onChange(() => server.setSecureContext(context()));
  // Of several under one name Node takes the last.
  const name = () => joining && server.addContext(CONTROLLER_SERVER_NAME, joining.current());
  name();
  joining?.onChange(name);
  return server;
}

/** Whatever else a client offers to speak (curl offers HTTP/2), it is answered as if it had not. */
function isForWebSocket({ method, url, headers }: IncomingMessage): boolean {
  return method === 'GET' && url?.startsWith('/v1/') === true && headers.upgrade?.toLowerCase() === 'websocket';
}
