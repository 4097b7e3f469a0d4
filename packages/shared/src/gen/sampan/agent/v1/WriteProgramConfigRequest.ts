// Original file: proto/sampan/agent/v1/agent.proto


export interface WriteProgramConfigRequest {
  'projectName'?: (string);
  'language'?: (string);
  'text'?: (string);
  /**
   * centos, ubuntu, or empty: the agent knows its host.
   */
  'osSystem'?: (string);
}

export interface WriteProgramConfigRequest__Output {
  'projectName': (string);
  'language': (string);
  'text': (string);
  /**
   * centos, ubuntu, or empty: the agent knows its host.
   */
  'osSystem': (string);
}
