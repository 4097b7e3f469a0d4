// Original file: proto/sampan/agent/v1/agent.proto


export interface RunningProgram {
  'name'?: (string);
  'state'?: (string);
  'pid'?: (number);
  /**
   * The version that it runs, and the path by which that was seen; empty where it shows nothing of any release.
   */
  'version'?: (string);
  'evidence'?: (string);
}

export interface RunningProgram__Output {
  'name': (string);
  'state': (string);
  'pid': (number);
  /**
   * The version that it runs, and the path by which that was seen; empty where it shows nothing of any release.
   */
  'version': (string);
  'evidence': (string);
}
