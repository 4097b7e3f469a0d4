import type { AgentBundle } from '../bundle/agent-bundle.ts';
import type { ControllerHome } from './controller/controller-home.ts';

/** What every part of the fleet's benchmark works with. */
export interface FleetBench {
  quick: boolean;
  /** On the volume, empty and this part's own; removed after it. */
  dir: string;
  home: ControllerHome;
  /** On which agents listen, each on an address of its own. */
  agentPort: number;
  bundle: AgentBundle;
  signal: AbortSignal;
}

/** What a part measured, to be shown. */
export interface FleetTable {
  head: readonly string[];
  rows: readonly (readonly string[])[];
  /** What a reader has to know beside the figures: sentences. */
  notes: readonly string[];
}
