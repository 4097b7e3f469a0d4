import { z } from 'zod';
import type { DeployPlan } from '../../rollout/rollout-plan.ts';
import type { ControllerApp } from '../controller-app.ts';
import { rolloutOptions, strategyOf } from '../rollout-options.ts';
import { answerRollout } from './answer-rollout.ts';
import { actionAnswers } from './answers.ts';
import { deployTarget } from './deploy-target.ts';
import { documentedAccess } from './documented-access.ts';
import type { DocumentedServices } from './documented-services.ts';
import * as fields from './fields.ts';
import { serverList } from './server-list.ts';

const DONE = '部署成功!';

/** `POST /deploy`: puts a package on every host of the list and makes it current. */
export function deployRoute(app: ControllerApp, { agentPort, desk }: DocumentedServices): void {
  const schema = {
    summary: '部署',
    description:
      '把包下载并解压到每台主机, 切换软连接, 按需重启. 调用方断开连接不影响部署; 执行期间再次发送相同的请求, 得到同一次部署的结果; 服务中途重启也一样: 部署会继续, 再次发送得到它的结果 (结束后保留 10 分钟, 只给一次). 响应头 sampan-operation-id 是本次操作的编号, 日志里也用它.',
    body: deployRequest(agentPort),
    response: actionAnswers(DONE),
  };
  app.post('/deploy', { config: documentedAccess('deploy'), schema }, (request, reply) =>
    answerRollout(desk, { request, plan: request.body, done: DONE }, reply),
  );
}

function deployRequest(agentPort: number) {
  return z
    .object({
      project_name: fields.projectName,
      link_name: fields.linkName,
      server_list: serverList(agentPort),
      file_url: fields.fileUrl,
      filename: fields.artifactName,
      filename_delete: fields.filenameDelete,
      language: fields.language,
      is_restart: fields.isRestart,
      deploy_dir: fields.deployDir,
      sha256: fields.sha256,
      auto_rollback: fields.autoRollback,
      ...rolloutOptions('zh'),
    })
    .transform(
      (body, context): DeployPlan => ({
        operation: 'deploy',
        hosts: body.server_list,
        target: deployTarget(body, context),
        restart: fields.restarts(body),
        autoRollback: body.auto_rollback,
        strategy: strategyOf(body, context, 'zh'),
        queue: body.queue ?? false,
        fileUrl: body.file_url,
        filename: body.filename,
        filenameDelete: body.filename_delete,
        sha256: body.sha256,
      }),
    );
}
