// Original file: proto/sampan/agent/v1/agent.proto


export interface Check {
  'name'?: (string);
  'ok'?: (boolean);
  'detail'?: (string);
}

export interface Check__Output {
  'name': (string);
  'ok': (boolean);
  'detail': (string);
}
