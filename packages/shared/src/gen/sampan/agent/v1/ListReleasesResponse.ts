// Original file: proto/sampan/agent/v1/agent.proto

import type { Release as _sampan_agent_v1_Release, Release__Output as _sampan_agent_v1_Release__Output } from '../../../sampan/agent/v1/Release.ts';

export interface ListReleasesResponse {
  /**
   * Newest first.
   */
  'releases'?: (_sampan_agent_v1_Release)[];
}

export interface ListReleasesResponse__Output {
  /**
   * Newest first.
   */
  'releases': (_sampan_agent_v1_Release__Output)[];
}
