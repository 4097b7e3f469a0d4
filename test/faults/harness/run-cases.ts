import { it, type TestContext } from 'vitest';
import type { Group, ToTry } from '../registry/registry.ts';

/** What a case found out, for the table of the run. It throws where something is not as it should be. */
export interface Report {
  /** What the caller was told, or in how many ways; the same from run to run. */
  outcome: string;
  /** Which invariants were held against the disk and the answers. Default: all. */
  invariants?: string;
  /** Where a case is tried at many points: what came of each. */
  points?: { point: string; outcome: string }[];
}

/** One named case. Slow ones are left out of `npm test`. */
export interface FaultCase<Stage> {
  speed: 'fast' | 'slow';
  timeoutMs?: number;
  run(stage: Stage): Promise<Report>;
}

/** A case for each name of a group. */
export type CaseTable<G extends Group, Stage> = Record<ToTry<G>, FaultCase<Stage>>;

declare module 'vitest' {
  interface TaskMeta {
    fault?: Report & { group: string; name: string };
  }
}

const ALL = 'I1–I5';
const TIMEOUT_MS = { fast: 60_000, slow: 600_000 };

interface Run<Name extends string, Stage> {
  speed: 'fast' | 'slow';
  stage: () => Stage;
  /** Those alone, or all but those, where a group's cases run in several files at a time. Default: all. */
  only?: readonly Name[];
  except?: readonly Name[];
}

/** Makes a test of each case of that speed, and tells the run's table what came of it. */
export function runCases<G extends Group, Stage>(
  group: G,
  table: CaseTable<G, Stage>,
  { speed, stage, only, except = [] }: Run<ToTry<G>, Stage>,
): void {
  for (const [name, one] of Object.entries(table) as [ToTry<G>, FaultCase<Stage>][]) {
    if (one.speed !== speed || except.includes(name) || (only && !only.includes(name))) continue;
    it(name, { timeout: one.timeoutMs ?? TIMEOUT_MS[speed] }, async ({ task }: TestContext) => {
      const report = await one.run(stage());
      task.meta.fault = { group, name, invariants: ALL, ...report };
    });
  }
}

/** Counts equal outcomes: `45 × 部署成功!, 3 × 状态未知`. */
export function tally(outcomes: readonly string[]): string {
  const groups = Object.entries(Object.groupBy(outcomes, (outcome) => outcome));
  return groups
    .sort(([, a], [, b]) => (b?.length ?? 0) - (a?.length ?? 0))
    .map(([outcome, all]) => `${all?.length} × ${outcome}`)
    .join(', ');
}
