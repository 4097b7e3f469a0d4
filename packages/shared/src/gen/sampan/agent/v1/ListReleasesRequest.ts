// Original file: proto/sampan/agent/v1/agent.proto

import type { Target as _sampan_agent_v1_Target, Target__Output as _sampan_agent_v1_Target__Output } from '../../../sampan/agent/v1/Target.ts';

export interface ListReleasesRequest {
  'target'?: (_sampan_agent_v1_Target | null);
  /**
   * Look at every entry of every release, whether it is still what was unpacked.
   */
  'verify'?: (boolean);
}

export interface ListReleasesRequest__Output {
  'target': (_sampan_agent_v1_Target__Output | null);
  /**
   * Look at every entry of every release, whether it is still what was unpacked.
   */
  'verify': (boolean);
}
