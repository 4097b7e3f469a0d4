import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '@sampan/shared/load-config.ts';
import type { Logger } from '@sampan/shared/logger.ts';
import type { ListenAddress } from '@sampan/shared/units.ts';
import type { AgentCore } from './agent-core.ts';

/** The agent's HTTP port, for probes and scrapers: `/healthz`, `/readyz` (503 with what is wrong), `/metrics`. */
export class StatusServer {
  readonly #server: Server;
  #draining = false;

  constructor(core: AgentCore) {
    const { log } = core.services;
    this.#server = createServer((request, response) => {
      this.#answer(core, request, response).catch((error: unknown) => failed(log, response, error));
    });
  }

  /** Opens the port; says which, where 0 was asked for. */
  async listen({ host, port }: ListenAddress): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening').catch((cause: Error) => {
      throw new ConfigError(`cannot listen on ${host}:${port}: ${cause.message}`, { cause });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** `/readyz` answers 503 from now on. */
  drain(): void {
    this.#draining = true;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(core: AgentCore, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, { error: 'GET only' });
    if (path === '/healthz') return send(response, 200, { status: 'ok' });
    if (path === '/readyz') {
      const checks = await core.readiness.checks();
      const ready = !this.#draining && checks.every(({ ok }) => ok);
      return send(response, ready ? 200 : 503, { ready, draining: this.#draining, checks });
    }
    if (path === '/metrics') {
      const { registry } = core.services.metrics;
      response.writeHead(200, { 'content-type': registry.contentType }).end(await registry.metrics());
      return;
    }
    send(response, 404, { error: 'there are /healthz, /readyz and /metrics' });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

function failed(log: Logger, response: ServerResponse, error: unknown): void {
  log.error({ err: error }, 'status request failed');
  if (response.headersSent) response.destroy();
  else send(response, 500, { error: 'internal error, see the log' });
}
