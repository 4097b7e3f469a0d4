// Original file: proto/sampan/agent/v1/agent.proto

import type { Check as _sampan_agent_v1_Check, Check__Output as _sampan_agent_v1_Check__Output } from '../../../sampan/agent/v1/Check.ts';
import type { Long } from '@grpc/proto-loader';

export interface GetStatusResponse {
  'version'?: (string);
  /**
   * Stable over restarts: made once, kept in state_dir.
   */
  'agentId'?: (string);
  'ready'?: (boolean);
  'checks'?: (_sampan_agent_v1_Check)[];
  'freeBytes'?: (number | string | Long);
  'totalBytes'?: (number | string | Long);
  'runningOperations'?: (number);
  /**
   * When the agent's certificate ends, in milliseconds since 1970; 0: it has none.
   */
  'certificateExpiresAtMs'?: (number | string | Long);
  /**
   * Of the last upgrade: installing, installed, failed; empty: there was none. And, of one that failed, what was said last.
   */
  'upgradeState'?: (string);
  'upgradeDetail'?: (string);
}

export interface GetStatusResponse__Output {
  'version': (string);
  /**
   * Stable over restarts: made once, kept in state_dir.
   */
  'agentId': (string);
  'ready': (boolean);
  'checks': (_sampan_agent_v1_Check__Output)[];
  'freeBytes': (number);
  'totalBytes': (number);
  'runningOperations': (number);
  /**
   * When the agent's certificate ends, in milliseconds since 1970; 0: it has none.
   */
  'certificateExpiresAtMs': (number);
  /**
   * Of the last upgrade: installing, installed, failed; empty: there was none. And, of one that failed, what was said last.
   */
  'upgradeState': (string);
  'upgradeDetail': (string);
}
