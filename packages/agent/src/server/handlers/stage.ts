import type { StageRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/StageRequest.ts';
import type { OperationRun } from '../../operations/operation-run.ts';
import { layoutOf } from '../../releases/layout.ts';
import type { AgentCore } from '../agent-core.ts';
import { mustRestart } from '../must-restart.ts';
import { parseFence, parseFilename, parseOperationId, parseSha256, parseTarget } from '../parse-request.ts';

export function stage(core: AgentCore, request: StageRequest__Output): Promise<OperationRun> {
  const target = parseTarget(request.target);
  const { fileUrl, deadlineMs, holdMs } = request;
  return core.deploys.stage(
    { operationId: parseOperationId(request.operationId), deadlineMs, holdMs },
    {
      target,
      layout: layoutOf(core.services.config, target),
      fileUrl,
      filename: parseFilename('filename', request.filename),
      sha256: parseSha256(request.sha256),
      willRestart: mustRestart(core.services.config, target, request.willRestart),
      fence: parseFence(request.fence),
    },
  );
}
