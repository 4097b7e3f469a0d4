// Original file: proto/sampan/agent/v1/agent.proto

import type { Target as _sampan_agent_v1_Target, Target__Output as _sampan_agent_v1_Target__Output } from '../../../sampan/agent/v1/Target.ts';
import type { Fence as _sampan_agent_v1_Fence, Fence__Output as _sampan_agent_v1_Fence__Output } from '../../../sampan/agent/v1/Fence.ts';
import type { Long } from '@grpc/proto-loader';

export interface StageRequest {
  /**
   * Chosen by the caller, at most 128 of [A-Za-z0-9._-]. One id names one deploy on this host: its Stage and its Activate.
   */
  'operationId'?: (string);
  'target'?: (_sampan_agent_v1_Target | null);
  'fileUrl'?: (string);
  /**
   * The artifact's name; the release is named after it, less the archive ending.
   */
  'filename'?: (string);
  /**
   * Lower-case hex; empty when the caller knows none.
   */
  'sha256'?: (string);
  /**
   * Milliseconds from receipt after which the agent gives up by itself; 0 means download.timeout of the agent.
   */
  'deadlineMs'?: (number | string | Long);
  /**
   * Milliseconds for which the link stays held after staging; 0 means 60,000.
   */
  'holdMs'?: (number | string | Long);
  /**
   * The caller will ask for a restart: what that needs is checked now, before anything is downloaded.
   */
  'willRestart'?: (boolean);
  /**
   * Absent: a controller that knows no fences.
   */
  'fence'?: (_sampan_agent_v1_Fence | null);
}

export interface StageRequest__Output {
  /**
   * Chosen by the caller, at most 128 of [A-Za-z0-9._-]. One id names one deploy on this host: its Stage and its Activate.
   */
  'operationId': (string);
  'target': (_sampan_agent_v1_Target__Output | null);
  'fileUrl': (string);
  /**
   * The artifact's name; the release is named after it, less the archive ending.
   */
  'filename': (string);
  /**
   * Lower-case hex; empty when the caller knows none.
   */
  'sha256': (string);
  /**
   * Milliseconds from receipt after which the agent gives up by itself; 0 means download.timeout of the agent.
   */
  'deadlineMs': (number);
  /**
   * Milliseconds for which the link stays held after staging; 0 means 60,000.
   */
  'holdMs': (number);
  /**
   * The caller will ask for a restart: what that needs is checked now, before anything is downloaded.
   */
  'willRestart': (boolean);
  /**
   * Absent: a controller that knows no fences.
   */
  'fence': (_sampan_agent_v1_Fence__Output | null);
}
