// Original file: proto/sampan/agent/v1/agent.proto

import type { StageResult as _sampan_agent_v1_StageResult, StageResult__Output as _sampan_agent_v1_StageResult__Output } from '../../../sampan/agent/v1/StageResult.ts';
import type { ActivateResult as _sampan_agent_v1_ActivateResult, ActivateResult__Output as _sampan_agent_v1_ActivateResult__Output } from '../../../sampan/agent/v1/ActivateResult.ts';

export interface GetOperationResponse {
  'operationId'?: (string);
  /**
   * running, succeeded, failed, interrupted: per phase, empty where the phase never started.
   */
  'stage'?: (string);
  'activate'?: (string);
  'stageResult'?: (_sampan_agent_v1_StageResult | null);
  'activateResult'?: (_sampan_agent_v1_ActivateResult | null);
  /**
   * JSON as in `sampan-error-bin`, of the phase that failed.
   */
  'error'?: (string);
}

export interface GetOperationResponse__Output {
  'operationId': (string);
  /**
   * running, succeeded, failed, interrupted: per phase, empty where the phase never started.
   */
  'stage': (string);
  'activate': (string);
  'stageResult': (_sampan_agent_v1_StageResult__Output | null);
  'activateResult': (_sampan_agent_v1_ActivateResult__Output | null);
  /**
   * JSON as in `sampan-error-bin`, of the phase that failed.
   */
  'error': (string);
}
