import { z } from 'zod';
import type { RolloutRequest } from '../../rollout/course.ts';
import { callerOf } from '../caller.ts';
import type { ControllerApp } from '../controller-app.ts';
import * as fields from './fields.ts';
import { findRollout, rolloutId, sendBegun } from './one-rollout.ts';
import { rolloutDetails } from './rollout-view.ts';
import { type V1Services, v1Access } from './v1-services.ts';

const SUMMARIES: Record<RolloutRequest, string> = {
  cancel: 'End it: what has not flipped is not flipped; atomic takes back what has',
  pause: 'Pause before the next wave',
  resume: 'Go on after a pause',
};

/** `POST /v1/rollouts/{id}/cancel`, `/pause`, `/resume` and `/retry`. */
export function changeRolloutRoutes(app: ControllerApp, { desk }: V1Services): void {
  const config = v1Access('deploy', 'found');
  for (const change of ['cancel', 'pause', 'resume'] as const) {
    const schema = { summary: SUMMARIES[change], params: rolloutId };
    app.post(`/rollouts/:id/${change}`, { config, schema }, async (request, reply) => {
      const { id } = request.params;
      await findRollout(desk, request, id);
      await desk.request(id, change, callerOf(request));
      return reply.code(202).send(rolloutDetails(await desk.find(id)));
    });
  }
  const retried = {
    summary: 'The same again, on the hosts where it did not succeed',
    params: rolloutId,
    body: z.strictObject({ file_url: fields.fileUrl.optional() }).nullish(),
  };
  app.post('/rollouts/:id/retry', { config, schema: retried }, async (request, reply) => {
    const { id } = request.params;
    await findRollout(desk, request, id);
    const again = await desk.retry(id, callerOf(request), request.body?.file_url);
    return sendBegun({ ...again, retry_of: id }, 202, reply);
  });
}
