// Original file: proto/sampan/agent/v1/agent.proto

import type { ProgramState as _sampan_agent_v1_ProgramState, ProgramState__Output as _sampan_agent_v1_ProgramState__Output } from '../../../sampan/agent/v1/ProgramState.ts';

export interface ActivateResult {
  /**
   * The version that is current now, and the one before ("" where there was none).
   */
  'version'?: (string);
  'previousVersion'?: (string);
  /**
   * True when the link named the release already and no flip was needed.
   */
  'unchanged'?: (boolean);
  /**
   * Set when a restart was asked for: the programs, as supervisor names them, each with its new pid.
   */
  'programs'?: (_sampan_agent_v1_ProgramState)[];
  /**
   * The release on this disk that the link named before: what Activate takes to go back. Empty where there is none.
   */
  'previousRelease'?: (string);
}

export interface ActivateResult__Output {
  /**
   * The version that is current now, and the one before ("" where there was none).
   */
  'version': (string);
  'previousVersion': (string);
  /**
   * True when the link named the release already and no flip was needed.
   */
  'unchanged': (boolean);
  /**
   * Set when a restart was asked for: the programs, as supervisor names them, each with its new pid.
   */
  'programs': (_sampan_agent_v1_ProgramState__Output)[];
  /**
   * The release on this disk that the link named before: what Activate takes to go back. Empty where there is none.
   */
  'previousRelease': (string);
}
