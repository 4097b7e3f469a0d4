import { z } from 'zod';
import type { AgentConnection } from '../../agents/agent-connection.ts';
import { callAgent } from '../../agents/call-agent.ts';
import type { AgentCall } from '../../agents/start-call.ts';
import { askHosts } from '../../ask-hosts.ts';
import type { ControllerApp } from '../controller-app.ts';
import { untilCallerLeaves } from '../until-caller-leaves.ts';
import { readAnswers, succeedAndFailed } from './answers.ts';
import { deployTarget } from './deploy-target.ts';
import { documentedAccess } from './documented-access.ts';
import type { DocumentedServices } from './documented-services.ts';
import * as fields from './fields.ts';
import { serverListOfQuery } from './server-list.ts';

const TIMEOUT_MS = 5_000;

/** `GET /get_current_version`: which release the link names on each host. */
export function getCurrentVersionRoute(app: ControllerApp, { agentPort, fleet }: DocumentedServices): void {
  const schema = {
    summary: '检查版本',
    description: '每台主机当前的版本. 参数在地址里或在 JSON 请求体里; server_list 用逗号分隔, 也可以重复.',
    querystring: versionRequest(agentPort),
    response: readAnswers('mp-media-wide-api-service-v20180630165728-105.jar'),
  };
  app.get('/get_current_version', { config: documentedAccess('read'), schema }, async (request, reply) => {
    const { hosts, target } = request.query;
    const call: AgentCall<'GetCurrentVersion'> = {
      method: 'GetCurrentVersion',
      request: { target },
      timeoutMs: TIMEOUT_MS,
    };
    const question = {
      operation: 'get_current_version',
      hosts,
      ask: async (connection: AgentConnection, signal: AbortSignal) =>
        (await callAgent(connection, call, signal)).version,
    };
    return succeedAndFailed(await askHosts(fleet, question, untilCallerLeaves(reply)));
  });
}

function versionRequest(agentPort: number) {
  return z
    .object({
      project_name: fields.projectName,
      link_name: fields.linkName,
      server_list: serverListOfQuery(agentPort),
      language: fields.language,
      deploy_dir: fields.deployDir,
    })
    .transform((query, context) => ({ hosts: query.server_list, target: deployTarget(query, context) }));
}
