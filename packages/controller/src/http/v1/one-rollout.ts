import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { RolloutDesk, ShownRollout } from '../../rollout/rollout-desk.ts';
import { assertProject, callerOf } from '../caller.ts';

/** The id of a rollout in an address. */
export const rolloutId = z.strictObject({ id: z.string().max(100) });

/**
 * The rollout that a request is about.
 * @throws DeployError ROLLOUT_NOT_FOUND; PROJECT_FORBIDDEN where the caller's token is for other projects.
 */
export async function findRollout(desk: RolloutDesk, request: FastifyRequest, id: string): Promise<ShownRollout> {
  const shown = await desk.find(id);
  assertProject(callerOf(request), shown.plan.target.projectName);
  return shown;
}

/** Answers with a rollout that was begun, and where it can be followed. `code`: 202, or 200 where it was begun before. */
export function sendBegun<T extends { id: string }>(begun: T, code: 200 | 202, reply: FastifyReply) {
  const url = `/v1/rollouts/${begun.id}`;
  return reply
    .code(code)
    .header('location', url)
    .send({ ...begun, url, events: `${url}/events` });
}
