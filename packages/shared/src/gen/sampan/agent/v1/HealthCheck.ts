// Original file: proto/sampan/agent/v1/agent.proto

import type { HttpCheck as _sampan_agent_v1_HttpCheck, HttpCheck__Output as _sampan_agent_v1_HttpCheck__Output } from '../../../sampan/agent/v1/HttpCheck.ts';
import type { TcpCheck as _sampan_agent_v1_TcpCheck, TcpCheck__Output as _sampan_agent_v1_TcpCheck__Output } from '../../../sampan/agent/v1/TcpCheck.ts';
import type { CommandCheck as _sampan_agent_v1_CommandCheck, CommandCheck__Output as _sampan_agent_v1_CommandCheck__Output } from '../../../sampan/agent/v1/CommandCheck.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * What shows that a release works. Asked on the host itself, as the owner of the language.
 */
export interface HealthCheck {
  'http'?: (_sampan_agent_v1_HttpCheck | null);
  'tcp'?: (_sampan_agent_v1_TcpCheck | null);
  'command'?: (_sampan_agent_v1_CommandCheck | null);
  /**
   * Milliseconds; 0 means the agent's defaults. Between two attempts; of one attempt; of all attempts together.
   */
  'intervalMs'?: (number | string | Long);
  'timeoutMs'?: (number | string | Long);
  'deadlineMs'?: (number | string | Long);
  /**
   * So many in a row must succeed; 0 means 1.
   */
  'successes'?: (number);
  'kind'?: "http"|"tcp"|"command";
}

/**
 * What shows that a release works. Asked on the host itself, as the owner of the language.
 */
export interface HealthCheck__Output {
  'http'?: (_sampan_agent_v1_HttpCheck__Output | null);
  'tcp'?: (_sampan_agent_v1_TcpCheck__Output | null);
  'command'?: (_sampan_agent_v1_CommandCheck__Output | null);
  /**
   * Milliseconds; 0 means the agent's defaults. Between two attempts; of one attempt; of all attempts together.
   */
  'intervalMs': (number);
  'timeoutMs': (number);
  'deadlineMs': (number);
  /**
   * So many in a row must succeed; 0 means 1.
   */
  'successes': (number);
  'kind'?: "http"|"tcp"|"command";
}
