import { z } from 'zod';
import type { RolloutRequest } from '../../rollout/course.ts';
import { assertProject, callerOf } from '../caller.ts';
import type { ControllerApp } from '../controller-app.ts';
import * as fields from './fields.ts';
import { rolloutDetails } from './rollout-view.ts';
import { rolloutId } from './show-rollouts.ts';
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
      const by = callerOf(request);
      assertProject(by, (await desk.find(id)).plan.target.projectName);
      await desk.request(id, change, { who: by.who, address: by.address });
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
    const { who, address, ...by } = callerOf(request);
    assertProject({ who, address, ...by }, (await desk.find(id)).plan.target.projectName);
    const again = await desk.retry(id, { who, address }, request.body?.file_url);
    const url = `/v1/rollouts/${again.id}`;
    return reply
      .code(202)
      .header('location', url)
      .send({ ...again, url, events: `${url}/events`, retry_of: id });
  });
}
