// Original file: proto/sampan/agent/v1/agent.proto


export interface HttpCheck {
  /**
   * http or https, of an address of the host itself. A certificate is not judged: it is the host's own.
   */
  'url'?: (string);
  /**
   * 0: any of 200 to 399.
   */
  'status'?: (number);
}

export interface HttpCheck__Output {
  /**
   * http or https, of an address of the host itself. A certificate is not judged: it is the host's own.
   */
  'url': (string);
  /**
   * 0: any of 200 to 399.
   */
  'status': (number);
}
