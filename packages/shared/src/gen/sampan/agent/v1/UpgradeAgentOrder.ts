// Original file: proto/sampan/agent/v1/agent.proto

import type { Long } from '@grpc/proto-loader';

export interface UpgradeAgentOrder {
  /**
   * Of the whole package, in lower-case hex.
   */
  'sha256'?: (string);
  'bytes'?: (number | string | Long);
}

export interface UpgradeAgentOrder__Output {
  /**
   * Of the whole package, in lower-case hex.
   */
  'sha256': (string);
  'bytes': (number);
}
