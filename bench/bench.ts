import type { AgentBundle } from './bundle/agent-bundle.ts';
import type { BenchPackage } from './packages/bench-packages.ts';
import type { Origin } from './processes/start-origin.ts';

/** What every part of the benchmark works with. */
export interface Bench {
  quick: boolean;
  /** On the volume, empty and this part's own; removed after it. */
  dir: string;
  /** What stands in here is served by `origin`. */
  originDir: string;
  origin: Origin;
  packages: readonly BenchPackage[];
  bundle: AgentBundle;
  signal: AbortSignal;
}
