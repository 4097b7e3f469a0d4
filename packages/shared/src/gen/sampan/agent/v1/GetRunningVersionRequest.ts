// Original file: proto/sampan/agent/v1/agent.proto

import type { Target as _sampan_agent_v1_Target, Target__Output as _sampan_agent_v1_Target__Output } from '../../../sampan/agent/v1/Target.ts';

export interface GetRunningVersionRequest {
  'target'?: (_sampan_agent_v1_Target | null);
}

export interface GetRunningVersionRequest__Output {
  'target': (_sampan_agent_v1_Target__Output | null);
}
