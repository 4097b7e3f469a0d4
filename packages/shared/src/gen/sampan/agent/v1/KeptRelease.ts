// Original file: proto/sampan/agent/v1/agent.proto


export interface KeptRelease {
  'release'?: (string);
  /**
   * current, linked, just_left, in_use, held, unmanaged.
   */
  'reason'?: (string);
}

export interface KeptRelease__Output {
  'release': (string);
  /**
   * current, linked, just_left, in_use, held, unmanaged.
   */
  'reason': (string);
}
