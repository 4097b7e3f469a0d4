// Original file: proto/sampan/agent/v1/agent.proto

import type { Progress as _sampan_agent_v1_Progress, Progress__Output as _sampan_agent_v1_Progress__Output } from '../../../sampan/agent/v1/Progress.ts';
import type { ActivateResult as _sampan_agent_v1_ActivateResult, ActivateResult__Output as _sampan_agent_v1_ActivateResult__Output } from '../../../sampan/agent/v1/ActivateResult.ts';

export interface ActivateEvent {
  'progress'?: (_sampan_agent_v1_Progress | null);
  'result'?: (_sampan_agent_v1_ActivateResult | null);
  'event'?: "progress"|"result";
}

export interface ActivateEvent__Output {
  'progress'?: (_sampan_agent_v1_Progress__Output | null);
  'result'?: (_sampan_agent_v1_ActivateResult__Output | null);
  'event'?: "progress"|"result";
}
