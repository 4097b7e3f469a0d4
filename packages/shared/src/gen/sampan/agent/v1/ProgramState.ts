// Original file: proto/sampan/agent/v1/agent.proto


export interface ProgramState {
  'name'?: (string);
  /**
   * As supervisor says it: RUNNING, STARTING, BACKOFF, STOPPED, EXITED, FATAL, UNKNOWN.
   */
  'state'?: (string);
  'pid'?: (number);
}

export interface ProgramState__Output {
  'name': (string);
  /**
   * As supervisor says it: RUNNING, STARTING, BACKOFF, STOPPED, EXITED, FATAL, UNKNOWN.
   */
  'state': (string);
  'pid': (number);
}
