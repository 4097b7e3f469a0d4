import { versionOf } from '@sampan/shared/names.ts';
import { z } from 'zod';
import type { RolloutPlan } from '../../rollout/rollout-plan.ts';
import { callerOf } from '../caller.ts';
import type { ControllerApp } from '../controller-app.ts';
import { idempotencyKeyOf } from '../idempotency-key.ts';
import { rolloutOptions, strategyOf } from '../rollout-options.ts';
import * as fields from './fields.ts';
import { sendBegun } from './one-rollout.ts';
import { type V1Services, v1Access } from './v1-services.ts';

/** `POST /v1/rollouts`: begins a deploy or a rollback, and does not wait for its end. */
export function beginRolloutRoute(app: ControllerApp, { desk, agentPort }: V1Services): void {
  const schema = {
    summary: 'Begin a rollout',
    description:
      'Answers 202 as soon as it is written down. Where another rollout holds a link, 409 names it, unless queue is true. The same request with the same Idempotency-Key is the same rollout.',
    body: rolloutRequest(agentPort),
  };
  app.post('/rollouts', { config: v1Access('deploy', 'named'), schema }, async (request, reply) => {
    const { id, isNew } = await desk.submit(request.body, callerOf(request), idempotencyKeyOf(request));
    return sendBegun({ id }, isNew ? 202 : 200, reply);
  });
}

const common = {
  ...fields.targetFields,
  restart: fields.flag(false),
  auto_rollback: fields.flag(true),
  ...rolloutOptions('en'),
};

function rolloutRequest(agentPort: number) {
  const hosts = fields.hosts(agentPort);
  const deploy = z.strictObject({
    operation: z.literal('deploy'),
    hosts,
    file_url: fields.fileUrl,
    filename: fields.filename,
    filename_delete: fields.name.optional(),
    sha256: fields.sha256,
    ...common,
  });
  const rollback = z.strictObject({ operation: z.literal('rollback'), hosts, version: fields.name, ...common });
  return z
    .discriminatedUnion('operation', [deploy, rollback], { error: 'deploy or rollback' })
    .transform((body, context): RolloutPlan => {
      const activation = {
        hosts: body.hosts,
        target: fields.targetOf(body, context),
        restart: body.restart && body.language !== 'php',
        autoRollback: body.auto_rollback,
        strategy: strategyOf(body, context, 'en'),
        queue: body.queue ?? false,
      };
      if (body.operation === 'rollback')
        return { operation: 'rollback', ...activation, version: versionOf(body.version) };
      const { file_url: fileUrl, filename, filename_delete, sha256 } = body;
      return { operation: 'deploy', ...activation, fileUrl, filename, filenameDelete: filename_delete ?? '', sha256 };
    });
}
