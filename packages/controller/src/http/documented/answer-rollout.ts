import { finished } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { Requester } from '../../rollout/rollout-audit.ts';
import type { RolloutPlan } from '../../rollout/rollout-plan.ts';
import type { Rollouts } from '../../rollout/rollouts.ts';
import { doneOrFailed } from './answers.ts';

/** Carries a plan out, or joins who does, and answers with what it comes to; `done` is what success is called. */
export async function answerRollout(
  rollouts: Rollouts,
  { plan, by, done }: { plan: RolloutPlan; by: Requester; done: string },
  reply: FastifyReply,
) {
  const rollout = rollouts.start(plan, by);
  reply.header('sampan-operation-id', rollout.operationId);
  // The answer counts as told when the system has taken all of it.
  finished(reply.raw, (error) => rollout.leave({ wasTold: !error && reply.raw.statusCode === 200 }));
  return doneOrFailed(await rollout.outcomes, done);
}
