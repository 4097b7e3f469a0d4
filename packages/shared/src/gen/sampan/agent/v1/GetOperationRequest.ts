// Original file: proto/sampan/agent/v1/agent.proto

import type { Target as _sampan_agent_v1_Target, Target__Output as _sampan_agent_v1_Target__Output } from '../../../sampan/agent/v1/Target.ts';
import type { Fence as _sampan_agent_v1_Fence, Fence__Output as _sampan_agent_v1_Fence__Output } from '../../../sampan/agent/v1/Fence.ts';
import type { Long } from '@grpc/proto-loader';

export interface GetOperationRequest {
  'operationId'?: (string);
  /**
   * A controller that carries on with an operation of another: from now on nothing is obeyed on the link that the other still sends.
   * Both or none; what the operation does already it goes on with.
   */
  'target'?: (_sampan_agent_v1_Target | null);
  'fence'?: (_sampan_agent_v1_Fence | null);
  /**
   * The number of the lock that the operation was begun under. Where an order of another operation and a later lock was obeyed since,
   * the call is refused: something else was done on the link. 0: not known.
   */
  'formerFence'?: (number | string | Long);
}

export interface GetOperationRequest__Output {
  'operationId': (string);
  /**
   * A controller that carries on with an operation of another: from now on nothing is obeyed on the link that the other still sends.
   * Both or none; what the operation does already it goes on with.
   */
  'target': (_sampan_agent_v1_Target__Output | null);
  'fence': (_sampan_agent_v1_Fence__Output | null);
  /**
   * The number of the lock that the operation was begun under. Where an order of another operation and a later lock was obeyed since,
   * the call is refused: something else was done on the link. 0: not known.
   */
  'formerFence': (number);
}
