import type { WriteProgramConfigRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/WriteProgramConfigRequest.ts';
import type { WriteProgramConfigResponse } from '@sampan/shared/gen/sampan/agent/v1/WriteProgramConfigResponse.ts';
import type { AgentCore } from '../agent-core.ts';
import { invalid, parseName, parseProjectLanguage } from '../parse-request.ts';

const DEADLINE_MS = 60_000;

export function writeProgramConfig(
  core: AgentCore,
  request: WriteProgramConfigRequest__Output,
): Promise<WriteProgramConfigResponse> {
  const language = parseProjectLanguage(request.language);
  if (language === 'php') throw invalid('language', request.language, 'java or golang');
  const { text, osSystem } = request;
  const projectName = parseName('project_name', request.projectName);
  const signal = AbortSignal.timeout(DEADLINE_MS);
  return core.services.supervisor.writeProgramConfig({ projectName, text, osSystem }, signal);
}
