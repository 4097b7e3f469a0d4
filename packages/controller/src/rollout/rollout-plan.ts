import { createHash } from 'node:crypto';
import type { ActivateRequest } from '@sampan/shared/gen/sampan/agent/v1/ActivateRequest.ts';
import type { StageRequest } from '@sampan/shared/gen/sampan/agent/v1/StageRequest.ts';
import type { ProjectLanguage } from '@sampan/shared/languages.ts';
import { versionOf } from '@sampan/shared/names.ts';
import type { AgentAddress } from '../agents/agent-address.ts';
import type { Fence } from '../store/link-locks.ts';
import { wireHealthCheck } from './health-check.ts';
import { planWaves, type Strategy } from './strategy.ts';

/** One host of a request: its name as the caller wrote it, and where its agent is dialled. */
export interface Host {
  name: string;
  address: AgentAddress;
}

/** The link of one project, the same on every host. `deployDir` is empty but for golang. */
export interface Target {
  projectName: string;
  linkName: string;
  language: ProjectLanguage;
  deployDir: string;
}

interface Activation {
  hosts: readonly Host[];
  target: Target;
  restart: boolean;
  autoRollback: boolean;
  strategy: Strategy;
  /** Where others hold its links, it waits for its turn. */
  queue: boolean;
}

export interface DeployPlan extends Activation {
  operation: 'deploy';
  fileUrl: string;
  filename: string;
  /** Lower-case hex; empty when the caller gave none. */
  sha256: string;
  /** Empty: nothing is to be deleted. */
  filenameDelete: string;
}

export interface RollbackPlan extends Activation {
  operation: 'rollback';
  version: string;
}

/** What a rollout is to do, complete and checked: two requests that mean the same make equal plans. */
export type RolloutPlan = DeployPlan | RollbackPlan;

/**
 * Equal for plans that do the same to the same hosts, whatever the order in which these were named. A digest: it is kept
 * longer than what may be secret in a URL.
 */
export function planKey(plan: RolloutPlan): string {
  const text = JSON.stringify({ ...plan, hosts: plan.hosts.map((host) => host.name).sort() });
  return createHash('sha256').update(text).digest('hex');
}

/** The version that it brings, as people know it. */
export function planVersion(plan: RolloutPlan): string {
  return plan.operation === 'deploy' ? versionOf(plan.filename) : plan.version;
}

/** One id, how long the agent may take from now, and under which lock. */
export interface Attempt {
  operationId: string;
  deadlineMs: number;
  fence: Fence | null;
}

/** What a link is locked by: its name, for golang behind its directory. */
export function lockedLink({ linkName, deployDir }: Target): string {
  return deployDir === '' ? linkName : `${deployDir}/${linkName}`;
}

export function stageRequest(plan: DeployPlan, attempt: Attempt, holdMs: number): StageRequest {
  return {
    ...attempt,
    holdMs,
    target: plan.target,
    fileUrl: plan.fileUrl,
    filename: plan.filename,
    sha256: plan.sha256,
    willRestart: plan.restart,
  };
}

/** `release` is what staging made; a rollback names its version instead. */
export function activateRequest(plan: RolloutPlan, attempt: Attempt, release: string): ActivateRequest {
  const { healthCheck } = plan.strategy;
  return {
    ...attempt,
    target: plan.target,
    ...(plan.operation === 'deploy' ? { release, filenameDelete: plan.filenameDelete } : { version: plan.version }),
    restart: plan.restart,
    autoRollback: plan.autoRollback,
    ...(healthCheck ? { healthCheck: wireHealthCheck(healthCheck) } : {}),
  };
}

/** Back to the very release that was current before, from the host's own disk. */
export function goBackRequest(plan: RolloutPlan, attempt: Attempt, release: string): ActivateRequest {
  return { ...attempt, target: plan.target, release, restart: plan.restart, autoRollback: false };
}

/** Each group of hosts that restart together is given this long before the hold of the next would end. */
const WAVE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;

/**
 * Milliseconds for which a staged release holds its link: until the others have staged too, and its turn has come. A controller
 * that dies blocks nobody by that: who comes with a newer fence is let in.
 */
export function holdMs({ hosts, restart, strategy }: RolloutPlan, limits: HoldLimits): number {
  const waves = planWaves(hosts, strategy);
  // A person may take a day.
  if (waves.some(({ pause }) => pause.kind === 'person')) return DAY_MS;
  const restarts = restart ? WAVE_MS * Math.ceil(hosts.length / limits.restartParallel) : WAVE_MS;
  const perWave = strategy.bakeMs + limits.timeoutMs;
  const pauses = waves.reduce((sum, { pause }) => sum + (pause.kind === 'time' ? pause.ms : 0), 0);
  const before = (waves.length - 1) * perWave;
  return Math.min(7 * DAY_MS, limits.timeoutMs + before + pauses + restarts);
}

/** How long one host may take, and how many restart at a time. */
export interface HoldLimits {
  timeoutMs: number;
  restartParallel: number;
}
