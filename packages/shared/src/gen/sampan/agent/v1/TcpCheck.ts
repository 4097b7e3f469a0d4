// Original file: proto/sampan/agent/v1/agent.proto


export interface TcpCheck {
  /**
   * host:port of the host itself.
   */
  'address'?: (string);
}

export interface TcpCheck__Output {
  /**
   * host:port of the host itself.
   */
  'address': (string);
}
