// Original file: proto/sampan/agent/v1/agent.proto


export interface CommandCheck {
  /**
   * Run in the release; exit 0 is success.
   */
  'argv'?: (string)[];
}

export interface CommandCheck__Output {
  /**
   * Run in the release; exit 0 is success.
   */
  'argv': (string)[];
}
