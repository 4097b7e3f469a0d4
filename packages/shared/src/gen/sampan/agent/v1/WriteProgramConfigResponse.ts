// Original file: proto/sampan/agent/v1/agent.proto


export interface WriteProgramConfigResponse {
  /**
   * The file that was written, and the programs that supervisor now knows from it.
   */
  'path'?: (string);
  'programs'?: (string)[];
  /**
   * True when the file held these bytes already.
   */
  'unchanged'?: (boolean);
}

export interface WriteProgramConfigResponse__Output {
  /**
   * The file that was written, and the programs that supervisor now knows from it.
   */
  'path': (string);
  'programs': (string)[];
  /**
   * True when the file held these bytes already.
   */
  'unchanged': (boolean);
}
