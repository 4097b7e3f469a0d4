// Original file: proto/sampan/agent/v1/agent.proto


export interface CheckHealthResponse {
  'ok'?: (boolean);
  /**
   * In words, where it is not ok; and what was expected.
   */
  'found'?: (string);
  'check'?: (string);
  'expected'?: (string);
}

export interface CheckHealthResponse__Output {
  'ok': (boolean);
  /**
   * In words, where it is not ok; and what was expected.
   */
  'found': (string);
  'check': (string);
  'expected': (string);
}
