import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import type { HttpsCredentials } from './https-credentials.ts';
import { MAX_HEADER_BYTES, REQUEST_TIMEOUT_MS } from './limits.ts';

const KEEP_ALIVE_MS = 72_000;
const HANDSHAKE_MS = 10_000;

/** A server for plain HTTP, or, with credentials, for HTTPS: handshakes after a change use the new ones, open connections go on. */
export function createServer(handler: RequestListener, credentials: HttpsCredentials | undefined): Server {
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  };
  if (!credentials) return createHttpServer(limits, handler);
  const context = (): SecureContextOptions => ({ ...credentials.current(), minVersion: 'TLSv1.2' });
  const server = createHttpsServer({ ...limits, ...context(), handshakeTimeout: HANDSHAKE_MS }, handler);
  credentials.onChange(() => server.setSecureContext(context()));
  return server;
}
