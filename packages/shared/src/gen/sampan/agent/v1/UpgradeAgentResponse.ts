// Original file: proto/sampan/agent/v1/agent.proto


export interface UpgradeAgentResponse {
  /**
   * What is being installed.
   */
  'version'?: (string);
}

export interface UpgradeAgentResponse__Output {
  /**
   * What is being installed.
   */
  'version': (string);
}
