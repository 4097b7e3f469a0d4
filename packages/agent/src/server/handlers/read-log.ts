import type { ReadLogChunk } from '@sampan/shared/gen/sampan/agent/v1/ReadLogChunk.ts';
import type { ReadLogRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/ReadLogRequest.ts';
import { DEFAULT_MAX_BYTES } from '../../logs/log-chunk.ts';
import { readLog } from '../../logs/read-log.ts';
import { logFileOf } from '../../releases/layout.ts';
import type { AgentCore } from '../agent-core.ts';
import { invalid, parseName, parseProjectLanguage } from '../parse-request.ts';

export function readLogOf(
  core: AgentCore,
  request: ReadLogRequest__Output,
  signal: AbortSignal,
): AsyncIterable<ReadLogChunk> {
  const target = {
    projectName: parseName('project_name', request.projectName),
    language: parseProjectLanguage(request.language),
    deployDir: request.deployDir,
  };
  const { lines, follow } = request;
  if (lines < 1) throw invalid('lines', lines, 'at least 1');
  const path = logFileOf(core.services.config, target, parseName('logname', request.logname));
  return readLog(path, { lines, maxBytes: request.maxBytes || DEFAULT_MAX_BYTES, follow }, signal);
}
