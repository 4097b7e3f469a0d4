import type { ActivateRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/ActivateRequest.ts';
import type { ReleaseChoice } from '../../deploy/choose-release.ts';
import type { OperationRun } from '../../operations/operation-run.ts';
import { layoutOf } from '../../releases/layout.ts';
import type { AgentCore } from '../agent-core.ts';
import { mustRestart } from '../must-restart.ts';
import { parseHealthCheck } from '../parse-health-check.ts';
import { invalid, parseFence, parseName, parseOperationId, parseTarget } from '../parse-request.ts';

export function activate(core: AgentCore, request: ActivateRequest__Output): Promise<OperationRun> {
  const target = parseTarget(request.target);
  const { deadlineMs, autoRollback, filenameDelete } = request;
  if (filenameDelete !== '') parseName('filename_delete', filenameDelete);
  return core.deploys.activate(
    { operationId: parseOperationId(request.operationId), deadlineMs, filenameDelete },
    {
      target,
      layout: layoutOf(core.services.config, target),
      choice: choiceOf(request),
      restart: mustRestart(core.services.config, target, request.restart),
      autoRollback,
      healthCheck: parseHealthCheck(request.healthCheck),
      fence: parseFence(request.fence),
    },
  );
}

function choiceOf({ choice, release, version }: ActivateRequest__Output): ReleaseChoice {
  if (choice === 'release' && release) return { kind: 'release', release };
  if (choice === 'version' && version) return { kind: 'version', version };
  throw invalid('choice', null, 'a release or a version');
}
