import type { Logger } from '@sampan/shared/logger.ts';
import fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { Enrolling } from '../identity/enroll.ts';
import type { Metrics } from '../metrics.ts';
import { answerErrors, sendError } from './answer-errors.ts';
import { answerBrokenHttp } from './broken-http.ts';
import type { ControllerApp } from './controller-app.ts';
import { createServer } from './create-server.ts';
import { documentedApi } from './documented/documented-api.ts';
import type { DocumentedServices } from './documented/documented-services.ts';
import { type AccessRules, type AccessServices, guard } from './door.ts';
import { healthRoutes, type Readiness } from './health.ts';
import type { HttpsCredentials } from './https-credentials.ts';
import { installRoutes } from './install-routes.ts';
import { joinRoutes } from './join-routes.ts';
import { parseJsonBody } from './json-body.ts';
import { MAX_BODY_BYTES } from './limits.ts';
import { metricsRoute } from './metrics-route.ts';
import { openApi } from './openapi.ts';
import { requireDeclaredAccess } from './route-access.ts';
import { v1Api } from './v1/v1-api.ts';
import type { V1Services } from './v1/v1-services.ts';
import { validateRequest } from './validate-request.ts';

/** What the HTTP application is made of. */
export interface AppParts extends DocumentedServices, Readiness {
  log: Logger;
  metrics: Metrics;
  access: AccessRules;
  accessServices: AccessServices;
  v1: V1Services;
  /** Without them: plain HTTP. */
  httpsCredentials: HttpsCredentials | undefined;
  /** What hosts join with; undefined where there is no CA. */
  joining: Joining | undefined;
  /** The agent's package, for hosts that join; null: there is none. */
  agentPackage: string | null;
}

export interface Joining {
  /** What is shown to who asks for the controller by its constant name, whatever certificate HTTPS has. */
  https: HttpsCredentials;
  enrolling(): Enrolling;
}

/** Assembles the HTTP application. It listens nowhere yet. */
export async function createApp(parts: AppParts): Promise<ControllerApp> {
  const app = bareApp(parts);
  takeJson(app);
  // An upgrade that was refused: its connection belongs to nobody, and would keep the server from ever closing.
  app.addHook('onResponse', async ({ raw }) => {
    if (raw.headers.upgrade !== undefined) raw.socket.destroy();
  });
  answerErrors(app);
  guard(app, parts.access, parts.accessServices);
  requireDeclaredAccess(app);
  await openApi(app);
  healthRoutes(app, parts);
  metricsRoute(app, parts.metrics);
  const { joining, access, agentPackage } = parts;
  if (joining) {
    app.register((routes, _options, done) => {
      joinRoutes(routes, { ...joining, trustedProxies: access.trustedProxies });
      if (agentPackage !== null) installRoutes(routes, agentPackage);
      done();
    });
  }
  app.register((v1, _options, done) => void v1Api(v1, parts.v1).then(() => done(), done), { prefix: '/v1' });
  app.register((documented, _options, done) => {
    documentedApi(documented, parts);
    done();
  });
  await app.ready();
  return app;
}

function bareApp({ log, httpsCredentials, joining }: AppParts): ControllerApp {
  const app = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    serverFactory: (handler) => createServer(handler, httpsCredentials, joining?.https),
    exposeHeadRoutes: false,
    // While it closes, requests on open connections are answered in our envelope.
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true },
    clientErrorHandler: answerBrokenHttp,
    frameworkErrors: sendError,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler<z.ZodType>(
    ({ schema }) =>
      (value: unknown) =>
        validateRequest(schema, value),
  );
  // Answers are made from types, and are what they are: schemas of answers are there to be read.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  return app;
}

/** Every body is JSON, whatever its Content-Type says: `curl -d` says that it is a form. GET may have one too. */
function takeJson(app: ControllerApp): void {
  app.addHttpMethod('GET', { hasBody: true, overrideExisting: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    try {
      done(null, request.is404 ? undefined : parseJsonBody(bytes));
    } catch (error) {
      done(error as Error);
    }
  });
  app.addHook('onRequest', async (request) => {
    delete request.raw.headers['content-type'];
  });
}
