// Original file: proto/sampan/agent/v1/agent.proto

import type { Fence as _sampan_agent_v1_Fence, Fence__Output as _sampan_agent_v1_Fence__Output } from '../../../sampan/agent/v1/Fence.ts';

export interface CancelOperationRequest {
  'operationId'?: (string);
  /**
   * Refused where an order of a later lock was obeyed on the operation's link. Absent: from a controller that knows no fences.
   */
  'fence'?: (_sampan_agent_v1_Fence | null);
}

export interface CancelOperationRequest__Output {
  'operationId': (string);
  /**
   * Refused where an order of a later lock was obeyed on the operation's link. Absent: from a controller that knows no fences.
   */
  'fence': (_sampan_agent_v1_Fence__Output | null);
}
