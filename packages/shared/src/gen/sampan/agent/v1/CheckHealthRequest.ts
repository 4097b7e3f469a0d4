// Original file: proto/sampan/agent/v1/agent.proto

import type { Target as _sampan_agent_v1_Target, Target__Output as _sampan_agent_v1_Target__Output } from '../../../sampan/agent/v1/Target.ts';
import type { HealthCheck as _sampan_agent_v1_HealthCheck, HealthCheck__Output as _sampan_agent_v1_HealthCheck__Output } from '../../../sampan/agent/v1/HealthCheck.ts';

export interface CheckHealthRequest {
  'target'?: (_sampan_agent_v1_Target | null);
  'healthCheck'?: (_sampan_agent_v1_HealthCheck | null);
}

export interface CheckHealthRequest__Output {
  'target': (_sampan_agent_v1_Target__Output | null);
  'healthCheck': (_sampan_agent_v1_HealthCheck__Output | null);
}
