import { versionOf } from '@sampan/shared/names.ts';
import { z } from 'zod';
import type { RollbackPlan } from '../../rollout/rollout-plan.ts';
import type { ControllerApp } from '../controller-app.ts';
import { rolloutOptions, strategyOf } from '../rollout-options.ts';
import { answerRollout } from './answer-rollout.ts';
import { actionAnswers } from './answers.ts';
import { deployTarget } from './deploy-target.ts';
import { documentedAccess } from './documented-access.ts';
import type { DocumentedServices } from './documented-services.ts';
import * as fields from './fields.ts';
import { serverList } from './server-list.ts';

const DONE = '回滚成功!';

/** `POST /rollback`: makes a release current again that the hosts still have. */
export function rollbackRoute(app: ControllerApp, { agentPort, desk }: DocumentedServices): void {
  const schema = {
    summary: '回滚',
    description: '把软连接切换到主机上已有的版本, 按需重启. java 项目不重启时, 运行中的仍是原来的代码.',
    body: rollbackRequest(agentPort),
    response: actionAnswers(DONE),
  };
  app.post('/rollback', { config: documentedAccess('deploy'), schema }, (request, reply) =>
    answerRollout(desk, { request, plan: request.body, done: DONE }, reply),
  );
}

function rollbackRequest(agentPort: number) {
  return z
    .object({
      project_name: fields.projectName,
      link_name: fields.linkName,
      server_list: serverList(agentPort),
      filename: fields.rollbackName,
      language: fields.language,
      is_restart: fields.isRestart,
      deploy_dir: fields.deployDir,
      auto_rollback: fields.autoRollback,
      ...rolloutOptions('zh'),
    })
    .transform(
      (body, context): RollbackPlan => ({
        operation: 'rollback',
        hosts: body.server_list,
        target: deployTarget(body, context),
        restart: fields.restarts(body),
        autoRollback: body.auto_rollback,
        strategy: strategyOf(body, context, 'zh'),
        queue: body.queue ?? false,
        version: versionOf(body.filename),
      }),
    );
}
