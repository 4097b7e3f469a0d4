import { DeployError } from '@sampan/shared/errors.ts';
import type { FastifyRequest } from 'fastify';
import type { ControllerApp } from '../controller-app.ts';
import { deployRoute } from './deploy.ts';
import type { DocumentedServices } from './documented-services.ts';
import { getCurrentVersionRoute } from './get-current-version.ts';
import { getLatestLogRoute } from './get-latest-log.ts';
import { initDeployRoute } from './init-deploy.ts';
import { rollbackRoute } from './rollback.ts';

/** The five endpoints that CI calls, answered to the letter of their document. While `isDraining()`, they take nothing new. */
export function documentedApi(app: ControllerApp, services: DocumentedServices & { isDraining(): boolean }): void {
  app.addHook('onRequest', async () => {
    if (services.isDraining()) throw new DeployError('CONTROLLER_DRAINING', {});
  });
  app.addHook('preValidation', async (request) => mergeBody(request));
  deployRoute(app, services);
  rollbackRoute(app, services);
  getCurrentVersionRoute(app, services);
  initDeployRoute(app, services);
  getLatestLogRoute(app, services);
}

/** A GET may bring its fields in the address or in a body. A field that is in both is taken from the body. */
function mergeBody(request: FastifyRequest): void {
  request.body ??= {};
  if (request.method !== 'GET') return;
  request.query = { ...mergeBrackets(request.query as Record<string, unknown>), ...(request.body as object) };
}

/** `server_list[]=a&server_list[]=b` and `server_list[0]=a&server_list[1]=b` are how some clients repeat a parameter. */
function mergeBrackets(query: Record<string, unknown>): Record<string, unknown> {
  const listed = Object.keys(query).filter((key) => /^server_list\[\d*\]$/.test(key));
  if (listed.length === 0) return query;
  return { ...query, server_list: [query.server_list ?? [], ...listed.map((key) => query[key])].flat() };
}
