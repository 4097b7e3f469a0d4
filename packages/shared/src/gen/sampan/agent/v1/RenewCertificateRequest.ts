// Original file: proto/sampan/agent/v1/agent.proto


export interface RenewCertificateRequest {
  /**
   * PEM: the agent's certificate, then what leads from it to a root.
   */
  'certificate'?: (string);
  /**
   * PEM: every root.
   */
  'roots'?: (string);
}

export interface RenewCertificateRequest__Output {
  /**
   * PEM: the agent's certificate, then what leads from it to a root.
   */
  'certificate': (string);
  /**
   * PEM: every root.
   */
  'roots': (string);
}
