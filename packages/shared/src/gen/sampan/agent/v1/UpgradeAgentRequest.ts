// Original file: proto/sampan/agent/v1/agent.proto

import type { UpgradeAgentOrder as _sampan_agent_v1_UpgradeAgentOrder, UpgradeAgentOrder__Output as _sampan_agent_v1_UpgradeAgentOrder__Output } from '../../../sampan/agent/v1/UpgradeAgentOrder.ts';

export interface UpgradeAgentRequest {
  'order'?: (_sampan_agent_v1_UpgradeAgentOrder | null);
  'chunk'?: (Buffer | Uint8Array | string);
  'part'?: "order"|"chunk";
}

export interface UpgradeAgentRequest__Output {
  'order'?: (_sampan_agent_v1_UpgradeAgentOrder__Output | null);
  'chunk'?: (Buffer);
  'part'?: "order"|"chunk";
}
