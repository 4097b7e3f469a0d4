import { z } from 'zod';
import { rolloutTransitions } from '../../rollout/course.ts';
import { callerOf } from '../caller.ts';
import type { ControllerApp } from '../controller-app.ts';
import * as fields from './fields.ts';
import { findRollout, rolloutId } from './one-rollout.ts';
import { rolloutDetails, rolloutSummary } from './rollout-view.ts';
import { type V1Services, v1Access } from './v1-services.ts';

const MAX_PAGE = 200;

/** `GET /v1/rollouts`, newest first and page by page, and `GET /v1/rollouts/{id}`. */
export function showRolloutRoutes(app: ControllerApp, { desk }: V1Services): void {
  const listed = {
    summary: 'Rollouts, newest first',
    description: 'A page ends with next, the value of before for the page after it; null on the last.',
    querystring: listQuery,
  };
  app.get('/rollouts', { config: v1Access('read', 'found'), schema: listed }, async (request) => {
    const { project_name: projectName, link_name: linkName, state, before, limit } = request.query;
    const { token } = callerOf(request);
    // A token that is bound to projects sees those alone.
    const filters = { projectName, linkName, state, before, limit, projects: token?.projects };
    const rollouts = await desk.list(filters);
    return {
      rollouts: rollouts.map(rolloutSummary),
      next: rollouts.length < limit ? null : (rollouts.at(-1)?.id ?? null),
    };
  });
  const one = { summary: 'One rollout, host by host', params: rolloutId };
  app.get('/rollouts/:id', { config: v1Access('read', 'found'), schema: one }, async (request) => {
    return rolloutDetails(await findRollout(desk, request, request.params.id));
  });
}

const LIMIT = `a number from 1 to ${MAX_PAGE}`;
const STATES = Object.keys(rolloutTransitions);

const listQuery = z.strictObject({
  project_name: fields.name.optional(),
  link_name: fields.name.optional(),
  state: z.enum(STATES as [string, ...string[]], { error: `one of ${STATES.join(', ')}` }).optional(),
  before: z.string().max(100).optional(),
  limit: fields.queryNumber(LIMIT, { min: 1, max: MAX_PAGE }).default(50),
});
