import { finished } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RolloutDesk } from '../../rollout/rollout-desk.ts';
import type { RolloutPlan } from '../../rollout/rollout-plan.ts';
import { callerOf } from '../caller.ts';
import { idempotencyKeyOf } from '../idempotency-key.ts';
import { doneOrFailed } from './answers.ts';

/** Carries a plan out, or joins who does, and answers with what it comes to; `done` is what success is called. */
export async function answerRollout(
  desk: RolloutDesk,
  { request, plan, done }: { request: FastifyRequest; plan: RolloutPlan; done: string },
  reply: FastifyReply,
) {
  const rollout = await desk.start(plan, callerOf(request), idempotencyKeyOf(request));
  reply.header('sampan-operation-id', rollout.operationId);
  // The answer counts as told when the system has taken all of it.
  finished(reply.raw, (error) => rollout.leave({ wasTold: !error && reply.raw.statusCode === 200 }));
  return doneOrFailed(await rollout.outcomes, done);
}
