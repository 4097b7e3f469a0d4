// Original file: proto/sampan/agent/v1/agent.proto


export interface GetCurrentVersionResponse {
  'version'?: (string);
  /**
   * The link's target as it stands on the disk.
   */
  'linkTarget'?: (string);
}

export interface GetCurrentVersionResponse__Output {
  'version': (string);
  /**
   * The link's target as it stands on the disk.
   */
  'linkTarget': (string);
}
