// Original file: proto/sampan/agent/v1/agent.proto

import type { Target as _sampan_agent_v1_Target, Target__Output as _sampan_agent_v1_Target__Output } from '../../../sampan/agent/v1/Target.ts';
import type { Fence as _sampan_agent_v1_Fence, Fence__Output as _sampan_agent_v1_Fence__Output } from '../../../sampan/agent/v1/Fence.ts';
import type { HealthCheck as _sampan_agent_v1_HealthCheck, HealthCheck__Output as _sampan_agent_v1_HealthCheck__Output } from '../../../sampan/agent/v1/HealthCheck.ts';
import type { Long } from '@grpc/proto-loader';

export interface ActivateRequest {
  'operationId'?: (string);
  'target'?: (_sampan_agent_v1_Target | null);
  /**
   * The release as StageResult names it.
   */
  'release'?: (string);
  /**
   * A rollback: the newest copy of this version that is not current.
   */
  'version'?: (string);
  'restart'?: (boolean);
  /**
   * Without it a failure after the flip leaves the new release current.
   */
  'autoRollback'?: (boolean);
  /**
   * A filename whose release is deleted after success, where nothing needs it. Empty: none.
   */
  'filenameDelete'?: (string);
  'deadlineMs'?: (number | string | Long);
  'fence'?: (_sampan_agent_v1_Fence | null);
  /**
   * After the restart; its failure is one after the flip.
   */
  'healthCheck'?: (_sampan_agent_v1_HealthCheck | null);
  'choice'?: "release"|"version";
}

export interface ActivateRequest__Output {
  'operationId': (string);
  'target': (_sampan_agent_v1_Target__Output | null);
  /**
   * The release as StageResult names it.
   */
  'release'?: (string);
  /**
   * A rollback: the newest copy of this version that is not current.
   */
  'version'?: (string);
  'restart': (boolean);
  /**
   * Without it a failure after the flip leaves the new release current.
   */
  'autoRollback': (boolean);
  /**
   * A filename whose release is deleted after success, where nothing needs it. Empty: none.
   */
  'filenameDelete': (string);
  'deadlineMs': (number);
  'fence': (_sampan_agent_v1_Fence__Output | null);
  /**
   * After the restart; its failure is one after the flip.
   */
  'healthCheck': (_sampan_agent_v1_HealthCheck__Output | null);
  'choice'?: "release"|"version";
}
