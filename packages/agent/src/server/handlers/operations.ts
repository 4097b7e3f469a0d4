import { DeployError } from '@sampan/shared/errors.ts';
import type { CancelOperationRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/CancelOperationRequest.ts';
import type { CancelOperationResponse } from '@sampan/shared/gen/sampan/agent/v1/CancelOperationResponse.ts';
import type { GetOperationRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/GetOperationRequest.ts';
import type { GetOperationResponse } from '@sampan/shared/gen/sampan/agent/v1/GetOperationResponse.ts';
import type { Phase } from '../../operations/journal-record.ts';
import { type KnownOperation, outcomeOf } from '../../operations/operations.ts';
import { layoutOf } from '../../releases/layout.ts';
import type { AgentCore } from '../agent-core.ts';
import { parseFence, parseOperationId, parseTarget } from '../parse-request.ts';

export async function cancelOperation(
  core: AgentCore,
  request: CancelOperationRequest__Output,
): Promise<CancelOperationResponse> {
  return { outcome: await core.deploys.cancel(parseOperationId(request.operationId), parseFence(request.fence)) };
}

export async function getOperation(
  core: AgentCore,
  request: GetOperationRequest__Output,
): Promise<GetOperationResponse> {
  const operationId = parseOperationId(request.operationId);
  const fence = parseFence(request.fence);
  if (fence) {
    const { link } = layoutOf(core.services.config, parseTarget(request.target));
    const { fences, log } = core.services;
    fences.announce(link, { fence, former: request.formerFence }, operationId);
    // A full disk keeps nobody from asking how far the operation is.
    await fences
      .keep()
      .catch((err: unknown) => log.warn({ err, operationId }, 'who is obeyed from now on is not durable'));
  }
  const known = core.operations.find(operationId);
  if (!known) throw new DeployError('OPERATION_UNKNOWN', { operationId });
  const outcomes = [outcomeOf(known.records, 'stage'), outcomeOf(known.records, 'activate')];
  const staged = outcomes.find((outcome) => outcome?.kind === 'staged');
  const activated = outcomes.find((outcome) => outcome?.kind === 'activated');
  const failed = outcomes.find((outcome) => outcome?.kind === 'failed');
  return {
    operationId,
    stage: stateOf(known, 'stage'),
    activate: stateOf(known, 'activate'),
    stageResult: staged?.kind === 'staged' ? staged.result : null,
    activateResult: activated?.kind === 'activated' ? activated.result : null,
    error: failed?.kind === 'failed' ? JSON.stringify(failed.error) : '',
  };
}

/** Empty where the phase never started. */
function stateOf({ records, running }: KnownOperation, phase: Phase): string {
  if (running?.phase === phase) return 'running';
  const last = records.findLast((record) => record.phase === phase);
  if (!last) return '';
  if (last.event !== 'finished') return 'interrupted';
  return last.outcome.kind === 'failed' ? 'failed' : 'succeeded';
}
