import { languages } from '@sampan/shared/languages.ts';
import { redactUrl } from '@sampan/shared/redact-url.ts';
import { fromWire, toWire } from '@sampan/shared/wire-error.ts';
import { z } from 'zod';
import { type Outcome, type Outcomes, outcomeCode } from '../outcomes.ts';
import type { NewRollout, RecordedOutcome } from '../store/recorded-rollout.ts';
import { healthCheckSchema } from './health-check.ts';
import { planKey, type RolloutPlan } from './rollout-plan.ts';
import { ALL_AT_ONCE } from './strategy.ts';

const strategy = z.object({
  batch: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('all') }),
    z.object({ kind: z.literal('count'), count: z.number() }),
    z.object({ kind: z.literal('percent'), percent: z.number() }),
  ]),
  canary: z.object({ hosts: z.number(), pauseMs: z.number().nullable() }).nullable(),
  maxFailures: z.number().nullable(),
  atomic: z.boolean(),
  healthCheck: healthCheckSchema.nullable(),
  bakeMs: z.number(),
});

const activation = {
  hosts: z.array(
    z.object({ name: z.string(), address: z.object({ host: z.string(), port: z.int(), key: z.string() }) }),
  ),
  target: z.object({
    projectName: z.string(),
    linkName: z.string(),
    language: z.enum(languages),
    deployDir: z.string(),
  }),
  restart: z.boolean(),
  autoRollback: z.boolean(),
  /** Versions before wrote none. */
  strategy: strategy.prefault(() => ({ ...ALL_AT_ONCE, batch: { kind: 'all' as const } })),
  queue: z.boolean().default(false),
};

const planSchema = z.discriminatedUnion('operation', [
  z.object({
    operation: z.literal('deploy'),
    ...activation,
    fileUrl: z.string(),
    filename: z.string(),
    sha256: z.string(),
    filenameDelete: z.string(),
  }),
  z.object({ operation: z.literal('rollback'), ...activation, version: z.string() }),
]);

/** A rollout as it is written down. The artifact's URL may hold credentials, so it stands apart, to be forgotten at the end. */
export function recordOf(operationId: string, plan: RolloutPlan): NewRollout {
  const isDeploy = plan.operation === 'deploy';
  return {
    operationId,
    planKey: planKey(plan),
    linkName: plan.target.linkName,
    projectName: plan.target.projectName,
    plan: JSON.stringify(isDeploy ? { ...plan, ...urlOf(plan.fileUrl) } : plan),
    fileUrl: isDeploy ? plan.fileUrl : '',
  };
}

function urlOf(fileUrl: string) {
  const redacted = redactUrl(fileUrl);
  return { fileUrl: redacted, isUrlWhole: redacted === fileUrl };
}

/** The plan that was written down. @throws when it is none of this version's. */
export function planOf({ plan, fileUrl }: Pick<NewRollout, 'plan' | 'fileUrl'>): RolloutPlan {
  const parsed = planSchema.parse(JSON.parse(plan));
  return parsed.operation === 'deploy' ? { ...parsed, fileUrl } : parsed;
}

const storedUrl = z.object({ fileUrl: z.string(), isUrlWhole: z.boolean().default(false) });

/** The artifact's URL of a rollout of any time; undefined where it held something secret, and has been forgotten. */
export function wholeUrlOf({ plan, fileUrl }: Pick<NewRollout, 'plan' | 'fileUrl'>): string | undefined {
  if (fileUrl !== '') return fileUrl;
  const stored = storedUrl.safeParse(JSON.parse(plan)).data;
  return stored?.isUrlWhole ? stored.fileUrl : undefined;
}

export function recordedOutcome(host: string, outcome: Outcome<unknown>): RecordedOutcome {
  const error = outcome.ok ? null : JSON.stringify(toWire(outcome.error));
  return { host, code: outcomeCode(outcome), error };
}

/** By host, in the plan's order; hosts without an outcome are left out. */
export function outcomesOf(plan: RolloutPlan, recorded: readonly RecordedOutcome[]): Outcomes<unknown> {
  const byHost = new Map(recorded.map((outcome) => [outcome.host, outcome.error]));
  return new Map(
    plan.hosts.flatMap(({ name }) => {
      const error = byHost.get(name);
      return error === undefined ? [] : [[name, outcomeOf(error)] as const];
    }),
  );
}

function outcomeOf(error: string | null): Outcome<unknown> {
  if (error === null) return { ok: true, value: undefined };
  const wire: unknown = JSON.parse(error);
  return { ok: false, error: fromWire(wire) };
}
