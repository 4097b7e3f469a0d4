// Original file: proto/sampan/agent/v1/agent.proto

import type { Progress as _sampan_agent_v1_Progress, Progress__Output as _sampan_agent_v1_Progress__Output } from '../../../sampan/agent/v1/Progress.ts';
import type { StageResult as _sampan_agent_v1_StageResult, StageResult__Output as _sampan_agent_v1_StageResult__Output } from '../../../sampan/agent/v1/StageResult.ts';

export interface StageEvent {
  'progress'?: (_sampan_agent_v1_Progress | null);
  'result'?: (_sampan_agent_v1_StageResult | null);
  'event'?: "progress"|"result";
}

export interface StageEvent__Output {
  'progress'?: (_sampan_agent_v1_Progress__Output | null);
  'result'?: (_sampan_agent_v1_StageResult__Output | null);
  'event'?: "progress"|"result";
}
