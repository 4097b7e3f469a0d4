// Original file: proto/sampan/agent/v1/agent.proto


export interface CancelOperationRequest {
  'operationId'?: (string);
}

export interface CancelOperationRequest__Output {
  'operationId': (string);
}
