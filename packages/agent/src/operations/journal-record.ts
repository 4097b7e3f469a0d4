import { wireErrorSchema } from '@sampan/shared/wire-error-schema.ts';
import { z } from 'zod';
import { healthCheckSchema } from '../health/health-check.ts';

const phase = z.enum(['stage', 'activate']);
const at = z.string();

const target = z.object({
  projectName: z.string(),
  linkName: z.string(),
  language: z.enum(['php', 'java', 'golang']),
  deployDir: z.string(),
});

export const stageResultSchema = z.object({
  release: z.string(),
  version: z.string(),
  sha256: z.string(),
  bytes: z.number(),
  entries: z.number(),
  reused: z.boolean(),
});

export const activateResultSchema = z.object({
  version: z.string(),
  previousVersion: z.string(),
  /** Versions before wrote none. */
  previousRelease: z.string().default(''),
  unchanged: z.boolean(),
  programs: z.array(z.object({ name: z.string(), state: z.string(), pid: z.number() })),
});

/** What an Activate was asked for, so that the agent can go on with it by itself after a crash. */
const activationSchema = z.object({
  choice: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('release'), release: z.string() }),
    z.object({ kind: z.literal('version'), version: z.string() }),
  ]),
  restart: z.boolean(),
  autoRollback: z.boolean(),
  filenameDelete: z.string(),
  deadlineMs: z.number(),
  healthCheck: healthCheckSchema.optional(),
});

/** Under which lock an order was given: of one database, numbers only grow. */
const fenceSchema = z.object({ database: z.string(), number: z.number() });

/**
 * One line of the journal. Never in it: the query or the password of an artifact's URL. That of a health check is in it whole: the
 * agent has to go on with it by itself after a crash.
 * `started` is the intent; `staging` names the work that a restart has to end and sweep; `flipping` comes before the link
 * is touched, `activated` after; `finished` is the outcome that a repeated call gets.
 */
export const journalRecordSchema = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('started'),
    at,
    phase,
    attempt: z.number(),
    /** Higher than that of every attempt before: what came later, whatever the clock said. */
    sequence: z.number().optional(),
    request: z.string(),
    target,
    oldTarget: z.string().nullable(),
    brings: z.string(),
    activation: activationSchema.optional(),
    fence: fenceSchema.optional(),
  }),
  z.object({
    event: z.literal('staging'),
    at,
    phase,
    stagingDir: z.string(),
    pid: z.number(),
    pidStartTime: z.string(),
  }),
  z.object({ event: z.literal('flipping'), at, phase, from: z.string().nullable(), to: z.string() }),
  z.object({ event: z.literal('activated'), at, phase }),
  z.object({ event: z.literal('reverting'), at, phase, to: z.string(), error: wireErrorSchema }),
  z.object({ event: z.literal('interrupted'), at, phase }),
  z.object({
    event: z.literal('finished'),
    at,
    phase,
    outcome: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('staged'), result: stageResultSchema }),
      z.object({ kind: z.literal('activated'), result: activateResultSchema }),
      z.object({ kind: z.literal('failed'), error: wireErrorSchema }),
    ]),
  }),
]);

export type JournalRecord = z.output<typeof journalRecordSchema>;
export type Activation = z.output<typeof activationSchema>;
export type Fence = z.output<typeof fenceSchema>;
export type Phase = z.output<typeof phase>;
export type StageOutcome = z.output<typeof stageResultSchema>;
export type ActivateOutcome = z.output<typeof activateResultSchema>;
export type Outcome = Extract<JournalRecord, { event: 'finished' }>['outcome'];
