import { z } from 'zod';
import type { AgentConnection } from '../../agents/agent-connection.ts';
import { callAgent } from '../../agents/call-agent.ts';
import type { AgentCall } from '../../agents/start-call.ts';
import { askHosts } from '../../ask-hosts.ts';
import { auditedEnd } from '../../auth/audited-end.ts';
import { callerOf } from '../caller.ts';
import type { ControllerApp } from '../controller-app.ts';
import { actionAnswers, doneOrFailed } from './answers.ts';
import { documentedAccess } from './documented-access.ts';
import type { DocumentedServices } from './documented-services.ts';
import * as fields from './fields.ts';
import { serverList } from './server-list.ts';

const DONE = '初始化成功!';
/** Longer than the agent gives itself, so that its own word comes first. */
const TIMEOUT_MS = 75_000;

/** `POST /init_deploy`: writes the supervisor config of a new project on every host of the list. Starts nothing. */
export function initDeployRoute(app: ControllerApp, { agentPort, fleet, trail }: DocumentedServices): void {
  const schema = {
    summary: '初始化部署',
    description: '新项目批量配置 supervisor 的配置文件, 用于 java 和 golang. 只写入并加载配置, 不启动程序.',
    body: initRequest(agentPort),
    response: actionAnswers(DONE),
  };
  app.post('/init_deploy', { config: documentedAccess('config-write'), schema }, async (request) => {
    const { hosts, ...config } = request.body;
    const call: AgentCall<'WriteProgramConfig'> = {
      method: 'WriteProgramConfig',
      request: config,
      timeoutMs: TIMEOUT_MS,
    };
    const question = {
      operation: 'init_deploy',
      hosts,
      ask: (connection: AgentConnection, signal: AbortSignal) => callAgent(connection, call, signal),
    };
    const { who, address } = callerOf(request);
    const project = config.projectName;
    const ended = await trail.begin({
      who,
      address,
      action: 'init_deploy',
      project,
      hosts: hosts.map(({ name }) => name),
    });
    // What was begun is carried through, whether or not the caller stays; each host has its own deadline.
    const outcomes = await askHosts(fleet, question, new AbortController().signal);
    ended(auditedEnd(outcomes));
    return doneOrFailed(outcomes, DONE);
  });
}

function initRequest(agentPort: number) {
  return z
    .object({
      project_name: fields.projectName,
      server_list: serverList(agentPort),
      language: fields.supervisedLanguage,
      os_system: fields.osSystem,
      superconf_content: fields.superconfContent,
    })
    .transform((body) => ({
      hosts: body.server_list,
      projectName: body.project_name,
      language: body.language,
      osSystem: body.os_system,
      text: body.superconf_content,
    }));
}
