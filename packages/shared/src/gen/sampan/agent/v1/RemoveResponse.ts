// Original file: proto/sampan/agent/v1/agent.proto

import type { KeptRelease as _sampan_agent_v1_KeptRelease, KeptRelease__Output as _sampan_agent_v1_KeptRelease__Output } from '../../../sampan/agent/v1/KeptRelease.ts';

export interface RemoveResponse {
  'removed'?: (string)[];
  'kept'?: (_sampan_agent_v1_KeptRelease)[];
}

export interface RemoveResponse__Output {
  'removed': (string)[];
  'kept': (_sampan_agent_v1_KeptRelease__Output)[];
}
