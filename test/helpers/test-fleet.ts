import { parseAgentAddress } from '@sampan/controller/agents/agent-address.ts';
import { AgentPool } from '@sampan/controller/agents/agent-pool.ts';
import { loopbackOnly } from '@sampan/controller/agents/agent-security.ts';
import type { Fleet, Limits } from '@sampan/controller/fleet.ts';
import { createMetrics } from '@sampan/controller/metrics.ts';
import type { Outcomes } from '@sampan/controller/outcomes.ts';
import type { DeployPlan, Host, RollbackPlan } from '@sampan/controller/rollout/rollout-plan.ts';
import { Rollouts } from '@sampan/controller/rollout/rollouts.ts';
import { ALL_AT_ONCE } from '@sampan/controller/rollout/strategy.ts';
import type { Store } from '@sampan/controller/store/store.ts';
import { errorText } from '@sampan/shared/error-text.ts';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { testStore } from './test-store.ts';

export interface TestFleet extends Fleet {
  /** Resolves once an agent was heard to have reached a step, past or to come. */
  heardOf(step: string): Promise<void>;
  /** Resolves once this was logged, past or to come. */
  logged(message: string): Promise<void>;
}

/** What a controller works on hosts with, in this process, with limits that a test can wait for. */
export function testFleet(limits: Partial<Limits> = {}, connectTimeoutMs = 500): TestFleet {
  const { log, heardOf, logged } = watchedLog();
  const agents = new AgentPool({ security: loopbackOnly, timeoutMs: connectTimeoutMs });
  onTestFinished(() => agents.close());
  return {
    agents,
    log,
    heardOf,
    logged,
    metrics: createMetrics({ agents: () => agents.count(), rollouts: () => ({}), storeFault: async () => undefined }),
    limits: {
      maxParallel: 200,
      restartParallel: 20,
      timeoutMs: 20_000,
      patienceMs: 15_000,
      deadlineSlackMs: 60_000,
      ...limits,
    },
  };
}

/** The rollouts of a controller in this process, with what it left behind in `store` already carried on. */
export async function testRollouts(fleet: Fleet = testFleet(), store?: Store): Promise<Rollouts> {
  const rollouts = new Rollouts(fleet, (store ?? (await testStore())).rollouts);
  rollouts.takeUp();
  return rollouts;
}

/** Who asks for rollouts in tests. */
export const tester = { who: 'tester', address: '127.0.0.1' };

/** Writes nowhere; steps are logged as they arrive. */
function watchedLog() {
  const known = new Map<string, PromiseWithResolvers<void>>();
  const entry = (what: string) => {
    const found = known.get(what) ?? Promise.withResolvers<void>();
    known.set(what, found);
    return found;
  };
  const write = (line: string) => {
    const { msg, step } = JSON.parse(line) as { msg: string; step?: string };
    entry(msg).resolve();
    if (msg === 'step' && step !== undefined) entry(`step ${step}`).resolve();
  };
  return {
    log: pino({ level: 'debug' }, { write }),
    heardOf: (step: string) => entry(`step ${step}`).promise,
    logged: (message: string) => entry(message).promise,
  };
}

export function planHost(name: string): Host {
  const address = parseAgentAddress(name, 7410);
  if (!address) throw new Error(`${name} is no host`);
  return { name, address };
}

const target = { projectName: 'shop', linkName: 'web', language: 'java', deployDir: '' } as const;

export function deployPlan(hosts: string[], more: Partial<DeployPlan> = {}): DeployPlan {
  return {
    operation: 'deploy',
    hosts: hosts.map(planHost),
    target,
    restart: false,
    autoRollback: true,
    fileUrl: 'http://origin/app.tar.gz',
    filename: 'app.tar.gz',
    sha256: '',
    filenameDelete: '',
    strategy: ALL_AT_ONCE,
    queue: false,
    ...more,
  };
}

export function rollbackPlan(hosts: string[]): RollbackPlan {
  return {
    operation: 'rollback',
    hosts: hosts.map(planHost),
    target,
    restart: false,
    autoRollback: true,
    version: 'app-1',
    strategy: ALL_AT_ONCE,
    queue: false,
  };
}

/** Each host with what a caller would read of it: `OK`, or the Chinese text. */
export function told(outcomes: Outcomes<unknown>): Record<string, string> {
  return Object.fromEntries(
    [...outcomes].map(([host, outcome]) => [host, outcome.ok ? 'OK' : errorText(outcome.error, 'zh')]),
  );
}
