// Original file: proto/sampan/agent/v1/agent.proto

import type { Target as _sampan_agent_v1_Target, Target__Output as _sampan_agent_v1_Target__Output } from '../../../sampan/agent/v1/Target.ts';
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
  'choice'?: "release"|"version";
}
