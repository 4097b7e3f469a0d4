// Original file: proto/sampan/agent/v1/agent.proto

import type { Target as _sampan_agent_v1_Target, Target__Output as _sampan_agent_v1_Target__Output } from '../../../sampan/agent/v1/Target.ts';
import type { Fence as _sampan_agent_v1_Fence, Fence__Output as _sampan_agent_v1_Fence__Output } from '../../../sampan/agent/v1/Fence.ts';

export interface GetOperationRequest {
  'operationId'?: (string);
  /**
   * A controller that carries on with an operation of another: from now on nothing is obeyed on the link that the other still sends.
   * Both or none; what the operation does already it goes on with.
   */
  'target'?: (_sampan_agent_v1_Target | null);
  'fence'?: (_sampan_agent_v1_Fence | null);
}

export interface GetOperationRequest__Output {
  'operationId': (string);
  /**
   * A controller that carries on with an operation of another: from now on nothing is obeyed on the link that the other still sends.
   * Both or none; what the operation does already it goes on with.
   */
  'target': (_sampan_agent_v1_Target__Output | null);
  'fence': (_sampan_agent_v1_Fence__Output | null);
}
