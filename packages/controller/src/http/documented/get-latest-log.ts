import type { AnswerOf } from '@sampan/shared/agent-definition.ts';
import { DeployError } from '@sampan/shared/errors.ts';
import { formatBytes } from '@sampan/shared/format-bytes.ts';
import type { ReadLogRequest } from '@sampan/shared/gen/sampan/agent/v1/ReadLogRequest.ts';
import { z } from 'zod';
import type { AgentConnection } from '../../agents/agent-connection.ts';
import { readEvents } from '../../agents/read-events.ts';
import { askHosts } from '../../ask-hosts.ts';
import type { ControllerApp } from '../controller-app.ts';
import { untilCallerLeaves } from '../until-caller-leaves.ts';
import { readAnswers, succeedAndFailed } from './answers.ts';
import { documentedAccess } from './documented-access.ts';
import type { DocumentedServices } from './documented-services.ts';
import * as fields from './fields.ts';
import { serverListOfQuery } from './server-list.ts';

const TIMEOUT_MS = 30_000;
const MAX_BYTES_PER_HOST = 1024 * 1024;
/** The whole answer is one string in memory. */
const MAX_BYTES_PER_ANSWER = 128 * 1024 * 1024;

/** `GET /get_latest_log`: the last lines of a log on each host. */
export function getLatestLogRoute(app: ControllerApp, { agentPort, fleet }: DocumentedServices): void {
  const schema = {
    summary: '查看日志',
    description: `日志文件的最后若干行. 参数在 JSON 请求体里或在地址里; 每台主机最多 ${formatBytes(MAX_BYTES_PER_HOST)}, 超过时第一行会说明.`,
    querystring: logRequest(agentPort),
    response: readAnswers('A\nb\n'),
  };
  app.get('/get_latest_log', { config: documentedAccess('read'), schema }, async (request, reply) => {
    const { hosts, ...what } = request.query;
    const maxBytes = Math.min(MAX_BYTES_PER_HOST, Math.floor(MAX_BYTES_PER_ANSWER / hosts.length));
    const question = {
      operation: 'get_latest_log',
      hosts,
      ask: (connection: AgentConnection, signal: AbortSignal) => readTail(connection, { ...what, maxBytes }, signal),
    };
    return succeedAndFailed(await askHosts(fleet, question, untilCallerLeaves(reply)));
  });
}

function logRequest(agentPort: number) {
  return z
    .object({
      project_name: fields.projectName,
      server_list: serverListOfQuery(agentPort),
      logname: fields.logName,
      language: fields.language,
      line: fields.line,
      deploy_dir: fields.logDeployDir,
    })
    .transform((query) => ({
      hosts: query.server_list,
      projectName: query.project_name,
      language: query.language,
      logname: query.logname,
      deployDir: query.language === 'golang' ? query.deploy_dir : '',
      lines: query.line,
    }));
}

async function readTail(
  connection: AgentConnection,
  request: ReadLogRequest & { maxBytes: number },
  signal: AbortSignal,
): Promise<string> {
  let text = '';
  let isTruncated = false;
  const call = {
    method: 'ReadLog' as const,
    request,
    timeoutMs: TIMEOUT_MS,
    onEvent: (chunk: AnswerOf<'ReadLog'>) => {
      text += chunk.text;
      // As text, bytes that are no UTF-8 take up to three times as much; and no agent of ours sends more than it was asked for.
      if (text.length > 3 * request.maxBytes)
        throw new DeployError('INTERNAL', {}, { cause: new Error('the agent sent more than max_bytes') });
      isTruncated ||= chunk.truncated;
    },
  };
  await readEvents(connection, call, signal);
  return isTruncated ? `(内容过长, 只返回最后 ${formatBytes(request.maxBytes)})\n${text}` : text;
}
