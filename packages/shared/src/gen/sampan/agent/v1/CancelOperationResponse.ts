// Original file: proto/sampan/agent/v1/agent.proto


export interface CancelOperationResponse {
  /**
   * cancelled, too_late (it has flipped), or finished (it had an outcome already).
   */
  'outcome'?: (string);
}

export interface CancelOperationResponse__Output {
  /**
   * cancelled, too_late (it has flipped), or finished (it had an outcome already).
   */
  'outcome': (string);
}
