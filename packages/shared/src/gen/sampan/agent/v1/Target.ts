// Original file: proto/sampan/agent/v1/agent.proto


/**
 * Where a release goes: the link of one project on this host.
 */
export interface Target {
  'projectName'?: (string);
  'linkName'?: (string);
  /**
   * php, java or golang.
   */
  'language'?: (string);
  /**
   * golang only: the directory below /opt (see agent.yaml, languages.golang.base_dir).
   */
  'deployDir'?: (string);
}

/**
 * Where a release goes: the link of one project on this host.
 */
export interface Target__Output {
  'projectName': (string);
  'linkName': (string);
  /**
   * php, java or golang.
   */
  'language': (string);
  /**
   * golang only: the directory below /opt (see agent.yaml, languages.golang.base_dir).
   */
  'deployDir': (string);
}
