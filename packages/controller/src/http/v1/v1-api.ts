import websocket from '@fastify/websocket';
import { DeployError } from '@sampan/shared/errors.ts';
import type { FastifyError } from 'fastify';
import type { z } from 'zod';
import { noteFailure, statusOf } from '../answer-errors.ts';
import type { ControllerApp } from '../controller-app.ts';
import { sendProblem } from '../problem.ts';
import { validateRequest } from '../validate-request.ts';
import { beginRolloutRoute } from './begin-rollout.ts';
import { changeRolloutRoutes } from './change-rollout.ts';
import { followLogsRoute } from './follow-logs.ts';
import { hostsRoute } from './hosts.ts';
import { releasesRoute } from './releases.ts';
import { rolloutEventsRoute } from './rollout-events.ts';
import { showRolloutRoutes } from './show-rollouts.ts';
import type { V1Services } from './v1-services.ts';
import { versionsRoute } from './versions.ts';

/** A message from a client is of no use to us. */
const MAX_MESSAGE_BYTES = 4096;

/** The API for programs that want more than the documented one gives: strict, in English, failures as problem documents. */
export async function v1Api(app: ControllerApp, services: V1Services): Promise<void> {
  app.setErrorHandler<FastifyError>((thrown, request, reply) => {
    const error = noteFailure(thrown, request, reply);
    sendProblem(error, statusOf(error.code), reply);
  });
  app.setValidatorCompiler<z.ZodType>(
    ({ schema }) =>
      (value: unknown) =>
        validateRequest(schema, value, 'en'),
  );
  app.addHook('onRequest', async () => {
    if (services.isDraining()) throw new DeployError('CONTROLLER_DRAINING', {});
  });
  await app.register(websocket, { options: { maxPayload: MAX_MESSAGE_BYTES } });
  beginRolloutRoute(app, services);
  showRolloutRoutes(app, services);
  changeRolloutRoutes(app, services);
  rolloutEventsRoute(app, services);
  hostsRoute(app, services);
  releasesRoute(app, services);
  versionsRoute(app, services);
  followLogsRoute(app, services);
}
