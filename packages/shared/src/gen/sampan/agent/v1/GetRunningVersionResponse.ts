// Original file: proto/sampan/agent/v1/agent.proto

import type { RunningProgram as _sampan_agent_v1_RunningProgram, RunningProgram__Output as _sampan_agent_v1_RunningProgram__Output } from '../../../sampan/agent/v1/RunningProgram.ts';

export interface GetRunningVersionResponse {
  /**
   * As GetCurrentVersion tells them; empty where nothing was deployed.
   */
  'version'?: (string);
  'linkTarget'?: (string);
  'programs'?: (_sampan_agent_v1_RunningProgram)[];
  /**
   * Why the programs are not known, in words; empty where they are.
   */
  'unknown'?: (string);
}

export interface GetRunningVersionResponse__Output {
  /**
   * As GetCurrentVersion tells them; empty where nothing was deployed.
   */
  'version': (string);
  'linkTarget': (string);
  'programs': (_sampan_agent_v1_RunningProgram__Output)[];
  /**
   * Why the programs are not known, in words; empty where they are.
   */
  'unknown': (string);
}
