import { createHash } from 'node:crypto';
import type { ActivateRequest } from '@sampan/shared/gen/sampan/agent/v1/ActivateRequest.ts';
import type { StageRequest } from '@sampan/shared/gen/sampan/agent/v1/StageRequest.ts';
import type { ProjectLanguage } from '@sampan/shared/languages.ts';
import type { AgentAddress } from '../agents/agent-address.ts';

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

/** What the version is called in logs. */
export function planVersion(plan: RolloutPlan): string {
  return plan.operation === 'deploy' ? plan.filename : plan.version;
}

/** One id, and how long the agent may take from now. */
export interface Attempt {
  operationId: string;
  deadlineMs: number;
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
  return {
    ...attempt,
    target: plan.target,
    ...(plan.operation === 'deploy' ? { release, filenameDelete: plan.filenameDelete } : { version: plan.version }),
    restart: plan.restart,
    autoRollback: plan.autoRollback,
  };
}

/** Each group of hosts that restart together is given this long before the hold of the next would end. */
const WAVE_MS = 60_000;

/** Milliseconds for which a staged release must hold its link: until the slowest wave of restarts has come to it. */
export function holdMs(plan: RolloutPlan, restartParallel: number): number {
  return plan.restart ? WAVE_MS * Math.ceil(plan.hosts.length / restartParallel) : WAVE_MS;
}
