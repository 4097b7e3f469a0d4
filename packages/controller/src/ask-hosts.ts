import { DeployError } from '@sampan/shared/errors.ts';
import type { AgentConnection } from './agents/agent-connection.ts';
import { AgentLoss } from './agents/agent-loss.ts';
import type { Fleet } from './fleet.ts';
import { collectOutcomes, type Outcomes, outcomeCode } from './outcomes.ts';
import type { Host } from './rollout/rollout-plan.ts';
import { Slots } from './slots.ts';

/** A question to many hosts. It may be asked twice of one, so it must be safe to repeat. */
export interface Question<T> {
  operation: string;
  hosts: readonly Host[];
  ask(connection: AgentConnection, signal: AbortSignal): Promise<T>;
}

/** Asks all hosts, `maxParallel` at a time. Never throws: every host has its outcome. */
export async function askHosts<T>(fleet: Fleet, question: Question<T>, signal: AbortSignal): Promise<Outcomes<T>> {
  const slots = new Slots(fleet.limits.maxParallel);
  const outcomes = await collectOutcomes(question.hosts, async (host) => {
    await fleet.agents.connect(host.address, signal);
    return await slots.run(() => askTwice(fleet, { question, host }, signal), signal);
  });
  for (const [host, outcome] of outcomes) {
    fleet.metrics.hostFinished({ operation: question.operation, code: outcomeCode(outcome) });
    if (outcome.ok) continue;
    const { operation } = question;
    fleet.log.warn({ operation, host, code: outcome.error.code, err: outcome.error }, 'host failed');
  }
  return outcomes;
}

interface Asked<T> {
  question: Question<T>;
  host: Host;
}

/** Once more over a new connection, when the one at hand turns out to be broken. */
async function askTwice<T>(fleet: Fleet, asked: Asked<T>, signal: AbortSignal): Promise<T> {
  try {
    return await askOnce(fleet, asked, signal);
  } catch (error) {
    if (!(error instanceof AgentLoss)) throw error;
    return await askOnce(fleet, asked, signal).catch((again: unknown) => {
      if (!(again instanceof AgentLoss)) throw again;
      throw new DeployError('AGENT_UNREACHABLE', { reason: again.reason }, { cause: again });
    });
  }
}

async function askOnce<T>(fleet: Fleet, { question, host }: Asked<T>, signal: AbortSignal): Promise<T> {
  return await question.ask(await fleet.agents.connect(host.address, signal), signal);
}
